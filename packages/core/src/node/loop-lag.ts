import type { Clock } from "../base/clock.ts";

const EVERY_MS = 250;
/** How much of the reading a new sample is: one pause of a second is no overload, one after the other is. */
const SHARE = 1 / 4;

export interface LoopLag {
  /** How late timers come lately. */
  lagMs(): number;
  stop(): void;
}

/** Measures how far behind the event loop is: the process is short on CPU, or does too much at a time. */
export function watchLoopLag(clock: Pick<Clock, "monotonicMs" | "after">): LoopLag {
  let lagMs = 0;
  let dueMs = clock.monotonicMs() + EVERY_MS;
  let cancel = clock.after(EVERY_MS, sample);

  function sample(): void {
    const nowMs = clock.monotonicMs();
    lagMs += (Math.max(0, nowMs - dueMs) - lagMs) * SHARE;
    dueMs = nowMs + EVERY_MS;
    cancel = clock.after(EVERY_MS, sample);
  }

  return { lagMs: () => lagMs, stop: () => cancel() };
}
