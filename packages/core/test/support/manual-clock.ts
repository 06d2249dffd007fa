import type { Clock } from "../../src/base/clock.ts";

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A clock that stands still until `advance` moves it, running what is due on the way, in order. */
export class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  /** In the order in which they were set. */
  readonly #timers = new Set<Timer>();

  constructor(nowMs = 1_800_000_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Timers that wait: none may be left behind. */
  get timerCount(): number {
    return this.#timers.size;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { dueMs: this.#monotonicMs + delayMs, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers.delete(next);
      this.#moveTo(Math.max(next.dueMs, this.#monotonicMs));
      next.run();
    }
    this.#moveTo(endMs);
  }

  /** As `advance`, with turns of the event loop before, and after each time at which something was due: whoever asks over a channel is answered before it gives up. */
  async pass(ms: number, turns = 4): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    const settle = async (): Promise<void> => {
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    await settle();
    for (;;) {
      const nextMs = Math.min(endMs, this.#earliest()?.dueMs ?? endMs);
      this.advance(Math.max(0, nextMs - this.#monotonicMs));
      await settle();
      if (this.#monotonicMs >= endMs) return;
    }
  }

  /** Of those that are due together, the one that was set first. */
  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (earliest === undefined || timer.dueMs < earliest.dueMs) earliest = timer;
    }
    return earliest;
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}
