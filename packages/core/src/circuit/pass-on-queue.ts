import { Fifo } from "./fifo.ts";
import type { FrameSource, Leg } from "./leg.ts";

/** Counts the DATA frames that wait in a whole relay. */
export interface QueueMeter {
  queuedFrames: number;
  /** Those that a service got and is not done with: a gate's, that wait for the other side. Their bounds are the service's own. */
  heldFrames: number;
  forwardedFrames: number;
  /** How many may wait. */
  readonly mostFrames: number;
  /** Called when more wait: makes room at once. */
  onFull(): void;
}

/** DATA frames from one leg of a circuit that wait to leave on the other. The credit goes back when they do. */
export class PassOnQueue implements FrameSource {
  readonly #frames = new Fifo<Buffer>();
  readonly #from: Leg;
  readonly #meter: QueueMeter;

  constructor(from: Leg, meter: QueueMeter) {
    this.#from = from;
    this.#meter = meter;
  }

  get waiting(): number {
    return this.#frames.length;
  }

  push(frame: Buffer): void {
    this.#meter.queuedFrames++;
    this.#frames.push(frame);
    if (this.#meter.queuedFrames > this.#meter.mostFrames) this.#meter.onFull();
  }

  take(): Buffer {
    this.#meter.queuedFrames--;
    this.#meter.forwardedFrames++;
    const frame = this.#frames.shift() as Buffer;
    this.#from.release();
    return frame;
  }

  clear(): void {
    this.#meter.queuedFrames -= this.#frames.length;
    this.#frames.clear();
  }
}
