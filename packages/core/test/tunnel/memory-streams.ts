import type { BackroomError } from "../../src/base/errors.ts";
import { BackroomError as Failure } from "../../src/base/errors.ts";
import { STREAM_PAYLOAD_BYTES, type CircuitStream, type StreamHandlers } from "../../src/circuit/stream.ts";

/** Where deliveries go to be done later. */
export interface Deliveries {
  add(step: () => void): void;
}

/** Deliveries of all streams of a test, done one at a time by `run`: so a test counts steps and no clock is involved. */
export class Steps implements Deliveries {
  readonly #queue: (() => void)[] = [];
  add(step: () => void): void {
    this.#queue.push(step);
  }
  /** Runs until nothing is left to do, or `most` steps were done; returns how many. */
  run(most = Infinity): number {
    let done = 0;
    for (; done < most; done++) {
      const step = this.#queue.shift();
      if (step === undefined) break;
      step();
    }
    return done;
  }
}

/** One end of a stream as `CircuitStream` describes it, with the window of PROTOCOL 6.3. */
export class MemoryStream implements CircuitStream {
  sendWindow: number;
  sent = 0;
  /** Payloads given to our handlers and not yet `consumed`. */
  outstanding = 0;
  ended = false;
  peer!: MemoryStream;
  /** May change a payload on its way. */
  tamper: ((payload: Buffer) => Buffer) | undefined;
  #handlers: StreamHandlers | undefined;
  readonly #steps: Deliveries;

  constructor(steps: Deliveries, window: number) {
    this.#steps = steps;
    this.sendWindow = window;
  }

  start(handlers: StreamHandlers): void {
    this.#handlers = handlers;
  }

  send(payload: Buffer): void {
    if (this.ended) return;
    if (this.sendWindow === 0) throw new Failure("E_INTERNAL", "sent without a window");
    if (payload.length < 1 || payload.length > STREAM_PAYLOAD_BYTES)
      throw new Failure("E_INTERNAL", "wrong payload length");
    this.sendWindow--;
    this.sent++;
    const passed = this.tamper === undefined ? payload : this.tamper(payload);
    this.#steps.add(() => this.peer.#receive(passed));
  }

  consumed(frames: number): void {
    this.outstanding -= frames;
    if (this.outstanding < 0) throw new Failure("E_INTERNAL", "consumed more than was given");
    this.#steps.add(() => this.peer.#grant(frames));
  }

  end(): void {
    if (this.ended) return;
    this.#finish();
    this.#steps.add(() => this.peer.#finish());
  }

  fail(error: BackroomError): void {
    this.#finish(error);
  }

  #receive(payload: Buffer): void {
    if (this.ended) return;
    this.outstanding++;
    this.#handlers?.onData(payload);
  }

  #grant(frames: number): void {
    if (this.ended) return;
    const wasShut = this.sendWindow === 0;
    this.sendWindow += frames;
    if (wasShut) this.#handlers?.onWindow();
  }

  #finish(error?: BackroomError): void {
    if (this.ended) return;
    this.ended = true;
    this.#handlers?.onEnd(error);
  }
}

export function streamPair(steps: Deliveries, window = 128): [MemoryStream, MemoryStream] {
  const a = new MemoryStream(steps, window);
  const b = new MemoryStream(steps, window);
  a.peer = b;
  b.peer = a;
  return [a, b];
}
