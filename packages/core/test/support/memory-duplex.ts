import type { ByteDuplex, DuplexHandlers } from "../../src/base/duplex.ts";

export interface MemoryDuplexOptions {
  /** Bytes on the way in one direction above which the writer is asked to wait. */
  readonly highWaterBytes?: number;
  /** Cuts what is delivered into slices of at most this length, as tunnels do. */
  readonly sliceBytes?: number;
}

/** Two ends of a stream in memory. Bytes arrive in a later turn of the event loop; a paused or slow reader holds the writer back. */
export function memoryDuplexPair(options: MemoryDuplexOptions = {}): [MemoryDuplex, MemoryDuplex] {
  const a = new MemoryDuplex(options);
  const b = new MemoryDuplex(options);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

export class MemoryDuplex implements ByteDuplex {
  peer!: MemoryDuplex;
  /** The most bytes that ever waited for the other side. */
  mostWaitingBytes = 0;
  writtenBytes = 0;
  readonly #highWaterBytes: number;
  readonly #sliceBytes: number;
  #handlers: DuplexHandlers | undefined;
  /** What was written here and not read there. */
  #queue: Buffer[] = [];
  #waitingBytes = 0;
  #blocked = false;
  #paused = false;
  #scheduled = false;
  #closing = false;
  #closed = false;

  constructor(options: MemoryDuplexOptions) {
    this.#highWaterBytes = options.highWaterBytes ?? 256 * 1024;
    this.#sliceBytes = options.sliceBytes ?? Number.POSITIVE_INFINITY;
  }

  get closed(): boolean {
    return this.#closed;
  }

  start(handlers: DuplexHandlers): void {
    this.#handlers = handlers;
    this.peer.#schedule();
  }

  write(bytes: Buffer): boolean {
    if (this.#closing || this.#closed) return true;
    this.writtenBytes += bytes.length;
    this.#queue.push(bytes);
    this.#waitingBytes += bytes.length;
    this.mostWaitingBytes = Math.max(this.mostWaitingBytes, this.#waitingBytes);
    this.#schedule();
    this.#blocked = this.#waitingBytes > this.#highWaterBytes;
    return !this.#blocked;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.peer.#schedule();
  }

  close(): void {
    if (this.#closing || this.#closed) return;
    this.#closing = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const { peer } = this;
    while (this.#queue.length > 0 && peer.#handlers !== undefined && !peer.#paused && !peer.#closed) {
      const bytes = this.#queue.shift() as Buffer;
      for (let offset = 0; offset < bytes.length; offset += this.#sliceBytes) {
        if (!peer.#closed) peer.#handlers.onData(bytes.subarray(offset, offset + this.#sliceBytes));
      }
      this.#waitingBytes -= bytes.length;
    }
    if (this.#closing && (this.#queue.length === 0 || peer.#paused || peer.#handlers === undefined)) {
      this.#end();
      peer.#end();
    } else if (this.#blocked && this.#waitingBytes <= this.#highWaterBytes / 2 && !this.#closed) {
      this.#blocked = false;
      this.#handlers?.onDrain();
    }
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#handlers?.onClose();
  }
}
