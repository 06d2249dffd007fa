import type { Clock } from "../base/clock.ts";
import type { BackroomError } from "../base/errors.ts";
import {
  SERVICE,
  type Circuit,
  type CircuitStream,
  type Service,
  type StreamHandlers,
} from "../circuit/stream.ts";

/** A transfer is measured over at least this much, without a pause longer than that. */
const MEASURED_BYTES = 1024 * 1024;
const PAUSE_MS = 500;
/** Whoever opened a stream and ended it after this long without having heard anything was left without an answer. */
const UNANSWERED_MS = 10_000;

export interface Unanswered {
  /** Nobody but a relay of the path can be the reason. */
  readonly isCertain: boolean;
  /** Somebody ended the circuit; otherwise this side waited in vain. */
  readonly isTold: boolean;
}

export interface CircuitObserver {
  /** The last hop has answered for the first time: only it can, so the whole path carries. */
  onAnswered(): void;
  /** The circuit went away, or was given up, with somebody waiting for the first answer. */
  onUnanswered(how: Unanswered): void;
  /** A stream was given up after nothing had come on it for long, whatever came on others. */
  onSilent(): void;
  /** The circuit was taken away: by a relay of the path, or because it broke the protocol. After `onUnanswered`, where that is called, too. */
  onGone(): void;
  /** Data has come in at this rate for a while. */
  onRate(bytesPerSecond: number): void;
}

/** The same circuit, with somebody who watches what becomes of it. */
export class ObservedCircuit implements Circuit {
  onDestroyed: Circuit["onDestroyed"] = undefined;
  readonly #circuit: Circuit;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #observer: CircuitObserver;
  #isSettled = false;
  #sinceMs = 0;
  #latestMs = -Infinity;
  #bytes = 0;

  constructor(circuit: Circuit, clock: Pick<Clock, "monotonicMs">, observer: CircuitObserver) {
    this.#circuit = circuit;
    this.#clock = clock;
    this.#observer = observer;
    circuit.onDestroyed = (error) => {
      if (error !== undefined) observer.onGone();
      this.onDestroyed?.(error);
    };
  }

  get hopCount(): number {
    return this.#circuit.hopCount;
  }

  get alive(): boolean {
    return this.#circuit.alive;
  }

  get onIncoming(): Circuit["onIncoming"] {
    return this.#circuit.onIncoming;
  }

  set onIncoming(decide: Circuit["onIncoming"]) {
    this.#circuit.onIncoming = decide;
  }

  openStream(service: Service, args: Uint8Array, handlers: StreamHandlers): CircuitStream {
    const openedMs = this.#clock.monotonicMs();
    let isEndedHere = false;
    let isHeard = false;
    const watched = (inner: StreamHandlers): StreamHandlers => ({
      onData: (payload) => {
        isHeard = true;
        this.#answered();
        this.#measure(payload.length);
        inner.onData(payload);
      },
      onWindow: () => inner.onWindow(),
      onEnd: (error) => {
        const waitedMs = isEndedHere ? this.#clock.monotonicMs() - openedMs : undefined;
        if (!isHeard && this.#circuit.alive && (waitedMs ?? 0) >= UNANSWERED_MS) this.#observer.onSilent();
        this.#ended(service, error, waitedMs);
        inner.onEnd(error);
      },
    });
    const stream = this.#circuit.openStream(service, args, watched(handlers));
    return {
      get sendWindow() {
        return stream.sendWindow;
      },
      start: (next) => stream.start(watched(next)),
      send: (payload) => stream.send(payload),
      consumed: (frames) => stream.consumed(frames),
      end: () => {
        isEndedHere = true;
        stream.end();
      },
    };
  }

  destroy(): void {
    // Whoever does not wait any more tells nothing about the relays.
    this.#isSettled = true;
    this.#circuit.destroy();
  }

  #answered(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#observer.onAnswered();
  }

  /** `waitedMs` is how long this side waited before it ended the stream; undefined where it did not. */
  #ended(service: Service, error: BackroomError | undefined, waitedMs: number | undefined): void {
    if (this.#isSettled) return;
    const isGone = error !== undefined && !this.#circuit.alive;
    // An end, for whatever reason, comes from the last hop and is authenticated like data.
    if (!isGone && waitedMs === undefined) return this.#answered();
    if (!isGone && (waitedMs ?? 0) < UNANSWERED_MS) return;
    this.#isSettled = true;
    // Behind a gate there is a seeder, which may be the one that does not answer.
    this.#observer.onUnanswered({ isCertain: service !== SERVICE.connect, isTold: isGone });
  }

  #measure(bytes: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#latestMs > PAUSE_MS) {
      this.#sinceMs = nowMs;
      this.#bytes = 0;
    } else {
      this.#bytes += bytes;
    }
    this.#latestMs = nowMs;
    if (this.#bytes < MEASURED_BYTES || nowMs === this.#sinceMs) return;
    this.#observer.onRate((this.#bytes * 1000) / (nowMs - this.#sinceMs));
    this.#sinceMs = nowMs;
    this.#bytes = 0;
  }
}
