import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";

/**
 * A circuit takes no new streams after an hour and ends after four (LIMITS.circuitFreshMs, circuitLifeMs): another one takes over before. At a time
 * of its own, so that not all of a member's circuits change at once, which would show that they belong together.
 */
const LEAST_MS = 40 * 60_000;
const SPREAD_MS = 12 * 60_000;

/** When what is built now is to be replaced; monotonic. */
export function rotationMs(clock: Pick<Clock, "monotonicMs">, random: Random): number {
  return clock.monotonicMs() + LEAST_MS + random.below(SPREAD_MS);
}
