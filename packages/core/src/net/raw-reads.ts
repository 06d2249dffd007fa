import type { TLSSocket } from "node:tls";
import type { Carrier } from "./frame-channel.ts";

type Sink = Pick<Parameters<Carrier["start"]>[0], "onBytes" | "room" | "onFilled">;

/** What Node's stream classes use of a connection; no more of it than is needed here. */
interface Handle {
  /** Called after each record's bytes were put into the memory that was named last, and at the end and for errors. Gives the memory for the next ones. */
  onread: (this: Handle, bytes?: ArrayBuffer) => unknown;
  /** From now on bytes are put there, instead of into memory that is made for each record. */
  useUserBuffer(memory: Buffer): void;
  /** In all. */
  readonly bytesRead: number;
  readStart(): void;
  readStop(): void;
}

/** The most that comes at once. */
const RECORD_BYTES = 16 * 1024;
/** One for all connections: what was put there is copied before anything else can be. */
const SPARE = Buffer.allocUnsafeSlow(RECORD_BYTES);
/** What may come while reading is paused before the connection itself is told to stop: as with a stream, its end is noticed until then. */
const HELD_BYTES = 64 * 1024;

/**
 * A socket's bytes without the stream classes between, which for each record of 16 KiB cost as much as a pass of AES over it, and put right into
 * the frame that they are a part of (docs/adr/0021-raw-reads.md). End, errors and closing stay with the socket. This stands on what Node has
 * inside; where that is another thing, the socket's `data` events serve as well. Reading begins paused.
 */
export class RawReads {
  readonly #socket: TLSSocket;
  readonly #sink: Sink;
  readonly #handle: Handle | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #paused = true;
  #stopped = false;

  constructor(socket: TLSSocket, sink: Sink) {
    this.#socket = socket;
    this.#sink = sink;
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

  /**
   * The connection writes to `memory` whenever something comes: nobody may give that back before another one has taken its place, which happens when
   * this returns. So nothing is raised here; what goes wrong is raised afterwards. While nobody takes bytes, and for the first ones, that is SPARE, out
   * of which what is to be kept is copied: a record may hold a single byte, and would else keep memory for a whole one.
   */
  #shorten(handle: Handle): void {
    const streams = handle.onread;
    let memory: Buffer = SPARE;
    let isRoom = false;
    let total = handle.bytesRead;
    handle.useUserBuffer(memory);
    handle.onread = (bytes) => {
      const count = handle.bytesRead - total;
      if (count === 0) return streams.call(handle, bytes);
      total += count;
      try {
        this.#arrived(memory.subarray(0, count), isRoom);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
      isRoom = this.#takesBytes;
      memory = isRoom ? this.#sink.room() : SPARE;
      return memory;
    };
  }

  get #takesBytes(): boolean {
    return !this.#paused && !this.#stopped && !this.#socket.destroyed;
  }

  #arrived(bytes: Buffer, inRoom: boolean): void {
    if (inRoom && this.#takesBytes) this.#sink.onFilled(bytes.length);
    else if (!this.#stopped && !this.#socket.destroyed) this.#take(Buffer.from(bytes));
  }

  readonly #take = (chunk: Buffer): void => {
    if (this.#stopped) return;
    if (!this.#paused) {
      this.#sink.onBytes(chunk);
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
    typeof handle.useUserBuffer === "function" &&
    typeof handle.bytesRead === "number" &&
    typeof handle.readStart === "function" &&
    typeof handle.readStop === "function";
  return known ? (handle as Handle) : undefined;
}
