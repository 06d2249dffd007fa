import type { TLSSocket } from "node:tls";

/** What Node's stream classes use of a connection; no more of it than is needed here. */
interface Handle {
  /** Called with each record's bytes in memory of their own, and with nothing at the end and for errors. */
  onread: (this: Handle, bytes?: ArrayBuffer) => unknown;
  readStart(): void;
  readStop(): void;
}

/** What may come while reading is paused before the connection itself is told to stop: as with a stream, its end is noticed until then. */
const HELD_BYTES = 64 * 1024;

/**
 * A socket's bytes without the stream classes between, which for each record of 16 KiB cost as much as a pass of AES over it (docs/adr/0021-raw-reads.md).
 * End, errors and closing stay with the socket. This stands on what Node has inside; where that is another thing, the socket's `data` events serve as
 * well. Reading begins paused.
 */
export class RawReads {
  readonly #socket: TLSSocket;
  readonly #onBytes: (chunk: Buffer) => void;
  readonly #handle: Handle | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #paused = true;
  #stopped = false;

  /** `onBytes` owns what it gets. */
  constructor(socket: TLSSocket, onBytes: (chunk: Buffer) => void) {
    this.#socket = socket;
    this.#onBytes = onBytes;
    this.#handle = handleOf(socket);
    // What came before, and all of it where the shortcut is not there. Adding a listener sets a socket going.
    socket.on("data", this.#take);
    if (this.#handle === undefined) socket.pause();
    else this.#shorten(this.#handle);
  }

  pause(): void {
    this.#paused = true;
    if (this.#handle === undefined) this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const chunk of held) this.#take(chunk);
    // Handing them on may have paused it again.
    if (this.#paused) return;
    if (this.#handle === undefined) this.#socket.resume();
    else if (!this.#socket.destroyed) this.#handle.readStart();
  }

  /** What still comes is thrown away, until the end. */
  discard(): void {
    this.#stopped = true;
    this.resume();
    this.#socket.resume();
  }

  #shorten(handle: Handle): void {
    const streams = handle.onread;
    handle.onread = (bytes) => {
      if (bytes === undefined || this.#socket.destroyed) return streams.call(handle, bytes);
      this.#take(Buffer.from(bytes));
      return undefined;
    };
  }

  readonly #take = (chunk: Buffer): void => {
    if (this.#stopped) return;
    if (!this.#paused) {
      this.#onBytes(chunk);
      return;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes >= HELD_BYTES) this.#handle?.readStop();
  };
}

function handleOf(socket: TLSSocket): Handle | undefined {
  const handle = (socket as unknown as { _handle?: Partial<Handle> | null })._handle;
  const known =
    typeof handle?.onread === "function" &&
    typeof handle.readStart === "function" &&
    typeof handle.readStop === "function";
  return known ? (handle as Handle) : undefined;
}
