import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";

/** How far a lease may run past its time for the sake of the order: half of what readers forgive, the rest is for their clocks. */
const MOST_AHEAD_S = LIMITS.leaseSkewMs / 2000;

/**
 * When the next lease of one seeder is over: Unix time in seconds. Of two leases of a seeder the one that expires later counts (PROTOCOL 8), so each
 * is over later than the one before, also within one second: where relays hang up in quick succession, the lease that names the gates of now
 * would else pass for the one that names those that are gone, and whoever read that one would not find the seeder any more. Also where the clock
 * was set back, as far as readers take such a lease.
 */
export function createLeaseExpiry(clock: Pick<Clock, "nowMs">): () => number {
  let lastS = -Infinity;
  return () => {
    const inTimeS = Math.floor((clock.nowMs() + LIMITS.leaseLifetimeMs) / 1000);
    const laterS = Math.max(inTimeS, lastS + 1);
    return (lastS = laterS - inTimeS <= MOST_AHEAD_S ? laterS : inTimeS);
  };
}
