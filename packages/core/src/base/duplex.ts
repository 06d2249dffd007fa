import type { BackroomError } from "./errors.ts";

/**
 * A two-way stream of bytes with back-pressure. Implementations: tunnels, memory pairs (tests), TCP sockets to partner programs (tests only).
 * - `write` takes ownership of the bytes and of all the memory that they lie in, which is given back once they are sent, and never throws; it returns false when the writer should wait for `onDrain`. After close it drops them.
 * - With `more` the writer says that it expects to write again within milliseconds: an implementation that cuts what is written into
 *   units of fixed length may hold an unfilled one back until then, but for no longer than a moment, nor where it has just asked the writer to wait.
 * - `onData` slices are valid until the handler returns: who needs them for longer keeps a copy. While paused no `onData` is called, and the other side is held back by flow control.
 * - `onClose` is called exactly once, whichever side closed, and nothing after it. `close` flushes what was written first, if it can.
 */
export interface ByteDuplex {
  start(handlers: DuplexHandlers): void;
  write(bytes: Buffer, more?: boolean): boolean;
  pause(): void;
  resume(): void;
  close(): void;
}

export interface DuplexHandlers {
  onData(bytes: Buffer): void;
  onDrain(): void;
  onClose(error?: BackroomError): void;
}
