import { Fifo } from "./fifo.ts";
import type { FrameSource, Leg } from "./leg.ts";

/** Counts what waits in a whole relay: DATA frames, and the memory that they hold. */
export interface QueueMeter {
  queuedFrames: number;
  /** Those that a service got and is not done with: a gate's, that wait for the other side. Their bounds are the service's own. */
  heldFrames: number;
  forwardedBytes: number;
  queuedBytes: number;
  /** How much may wait. */
  readonly mostBytes: number;
  /** Called when more waits: makes room at once. */
  onFull(): void;
}

/** DATA frames from one leg of a circuit that wait to leave on the other. The credit goes back when they do. */
export class PassOnQueue implements FrameSource {
  readonly #frames = new Fifo<Buffer>();
  readonly #from: Leg;
  readonly #meter: QueueMeter;
  #bytes = 0;

  constructor(from: Leg, meter: QueueMeter) {
    this.#from = from;
    this.#meter = meter;
  }

  get waiting(): number {
    return this.#frames.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(frame: Buffer): void {
    this.#count(1, frame.length);
    this.#frames.push(frame);
    if (this.#meter.queuedBytes > this.#meter.mostBytes) this.#meter.onFull();
  }

  take(): Buffer {
    const frame = this.#frames.shift() as Buffer;
    this.#meter.forwardedBytes += frame.length;
    this.#count(-1, -frame.length);
    this.#from.release();
    return frame;
  }

  clear(): void {
    this.#count(-this.#frames.length, -this.#bytes);
    this.#frames.clear();
  }

  #count(frames: number, bytes: number): void {
    this.#bytes += bytes;
    this.#meter.queuedFrames += frames;
    this.#meter.queuedBytes += bytes;
  }
}
