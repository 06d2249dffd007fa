import { DATA_FRAME_BYTES } from "../net/frame.ts";

/** Enough for the bursts of a gate; more would only keep memory. */
const KEPT = 64;

/**
 * DATA frames whose content was opened into other memory and which nobody else holds: the next frame that this end seals is built in one
 * of them, which spares a gate one of four large allocations a frame. Only what a channel handed over may be put in.
 */
export class SpareFrames {
  readonly #frames: Buffer[] = [];

  put(frame: Buffer): void {
    if (this.#frames.length < KEPT) this.#frames.push(frame);
  }

  /** The content is what it was: the caller overwrites all of it. */
  take(): Buffer {
    return this.#frames.pop() ?? Buffer.allocUnsafeSlow(DATA_FRAME_BYTES);
  }
}
