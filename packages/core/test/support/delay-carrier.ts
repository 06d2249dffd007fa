import type { Clock } from "../../src/base/clock.ts";
import type { Carrier } from "../../src/net/frame-channel.ts";

/** One direction of a line between two neighbours. */
export interface Line {
  readonly clock: Clock;
  /** From the line's beginning to its end. */
  readonly delayMs: number;
  /** How fast the line takes bytes; Infinity: at once. */
  readonly bytesPerMs: number;
  /** The share of frames that come late, and by how much. What is behind one waits for it, as in TCP, and then comes at once. */
  readonly lateShare: number;
  readonly lateMs: number;
  /** Bytes that may be on the line or lie unread at its end: a TCP window. */
  readonly windowBytes: number;
  /** A number in [0, 1) for each frame. */
  random(): number;
}

/** A carrier whose frames travel a line before `inner` gets them. Wrap both ends for both directions. */
export function delayCarrier(inner: Carrier, line: Line): Carrier {
  return new DelayCarrier(inner, line);
}

interface Parcel {
  readonly frame: Buffer;
  readonly arrivesMs: number;
}

class DelayCarrier implements Carrier {
  queuedBytes = 0;
  readonly exporter: Buffer;
  readonly #inner: Carrier;
  readonly #line: Line;
  #handlers: Parameters<Carrier["start"]>[0] | undefined;
  /** Not on the line yet; the first is being put on it while `#sending`. */
  readonly #waiting: Buffer[] = [];
  #sending = false;
  readonly #travelling: Parcel[] = [];
  #travellingBytes = 0;
  #lastArrivalMs = 0;
  #closing = false;
  #over = false;

  constructor(inner: Carrier, line: Line) {
    this.#inner = inner;
    this.#line = line;
    this.exporter = inner.exporter;
  }

  start(handlers: Parameters<Carrier["start"]>[0]): void {
    this.#handlers = handlers;
    this.#inner.start({
      ...handlers,
      onWritten: () => this.#send(),
      onEnd: (error) => {
        this.#over = true;
        handlers.onEnd(error);
      },
    });
  }

  write(frame: Buffer): void {
    if (this.#closing || this.#over) return;
    this.#waiting.push(frame);
    this.queuedBytes += frame.length;
    this.#send();
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(abrupt: boolean): void {
    if (this.#closing) return;
    this.#closing = true;
    if (abrupt) {
      this.#over = true;
      this.queuedBytes = 0;
      this.#inner.close(true);
    } else {
      this.#closeWhenEmpty();
    }
  }

  /** Puts the next frame on the line, which takes as long as the line's rate says. */
  #send(): void {
    const [frame] = this.#waiting;
    if (this.#sending || this.#over || frame === undefined) return;
    const { clock, bytesPerMs, windowBytes } = this.#line;
    if (this.#travellingBytes + this.#inner.queuedBytes + frame.length > windowBytes) return;
    this.#sending = true;
    const sent = (): void => {
      if (this.#over) return;
      this.#sending = false;
      this.#waiting.shift();
      this.queuedBytes -= frame.length;
      this.#travel(frame);
      this.#send();
      if (!this.#closing) this.#handlers?.onWritten();
    };
    if (bytesPerMs === Infinity) sent();
    else clock.after(frame.length / bytesPerMs, sent);
  }

  #travel(frame: Buffer): void {
    const { clock, delayMs, lateShare, lateMs } = this.#line;
    const tookMs = delayMs + (this.#line.random() < lateShare ? lateMs : 0);
    const arrivesMs = Math.max(this.#lastArrivalMs, clock.monotonicMs() + tookMs);
    this.#lastArrivalMs = arrivesMs;
    this.#travelling.push({ frame, arrivesMs });
    this.#travellingBytes += frame.length;
    if (this.#travelling.length === 1) this.#awaitNext();
  }

  #awaitNext(): void {
    const next = this.#travelling[0];
    if (next === undefined) return this.#closeWhenEmpty();
    const { clock } = this.#line;
    clock.after(next.arrivesMs - clock.monotonicMs(), () => {
      // With the first also what waited behind it, and what is due by now.
      const nowMs = Math.max(next.arrivesMs, clock.monotonicMs());
      while (!this.#over && (this.#travelling[0]?.arrivesMs ?? Infinity) <= nowMs) {
        const { frame } = this.#travelling.shift() as Parcel;
        this.#travellingBytes -= frame.length;
        this.#inner.write(frame);
      }
      if (this.#over) return;
      this.#send();
      this.#awaitNext();
    });
  }

  #closeWhenEmpty(): void {
    if (!this.#closing || this.#over || this.#waiting.length > 0 || this.#travelling.length > 0) return;
    this.#inner.close(false);
  }
}
