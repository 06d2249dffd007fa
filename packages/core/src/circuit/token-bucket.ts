import type { Clock } from "../base/clock.ts";

/** Lets `burst` through at once and `perSecond` from then on: a bound on what strangers can make this computer do. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #filledMs: number;

  constructor(clock: Clock, burst: number, perSecond: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#filledMs = clock.monotonicMs();
  }

  /** Whether `take` would say yes. */
  get ready(): boolean {
    this.#fill();
    return this.#tokens >= 1;
  }

  /** Whether a whole burst could be taken. */
  get full(): boolean {
    this.#fill();
    return this.#tokens >= this.#burst;
  }

  /** False when it is too much. */
  take(): boolean {
    if (!this.ready) return false;
    this.#tokens--;
    return true;
  }

  /** What was taken was not used after all. */
  giveBack(): void {
    this.#fill();
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    const earned = ((nowMs - this.#filledMs) / 1000) * this.#perSecond;
    this.#filledMs = nowMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
  }
}
