import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";

/** In each span without pressure this much of the effort stays. */
const KEPT = 2 / 3;

/**
 * How much work to ask for, after the controller of Tor's proof of work for onion services (proposal 327): nothing while nobody has to wait,
 * more than what was turned away, about what those pay who are served although others wait, and less again as that passes.
 */
export class EffortControl {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #effort = 0;
  #sinceMs: number;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** `topWaiting` is the most that anybody shows who waits right now; undefined where nobody does. */
  effort(topWaiting: number | undefined): number {
    this.#decay(topWaiting);
    return Math.min(
      LIMITS.connectEffortMost,
      Math.max(this.#effort, topWaiting === undefined ? 0 : topWaiting + 1),
    );
  }

  /** Somebody who showed this much was turned away. */
  refused(effort: number): void {
    if (effort >= this.#effort)
      this.#effort = Math.min(LIMITS.connectEffortMost, effort + 1 + Math.floor(effort / 2));
    this.#sinceMs = this.#clock.monotonicMs();
  }

  /** Somebody who showed this much was served, after waiting or while others wait. */
  servedUnderLoad(effort: number): void {
    if (effort > this.#effort) this.#effort += Math.ceil((effort - this.#effort) / 4);
  }

  /** Not below what those show who wait. */
  #decay(topWaiting: number | undefined): void {
    const spans = Math.floor((this.#clock.monotonicMs() - this.#sinceMs) / LIMITS.connectEffortEveryMs);
    if (spans === 0) return;
    this.#sinceMs += spans * LIMITS.connectEffortEveryMs;
    this.#effort = Math.max(Math.floor(this.#effort * KEPT ** spans), topWaiting ?? 0);
  }
}
