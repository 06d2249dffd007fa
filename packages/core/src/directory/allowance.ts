import type { Clock } from "../base/clock.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Permission to do `burst` things at once and `perSecond` more as time goes by. */
export interface Allowance {
  /** True and one less to spend, or false. */
  take(): boolean;
}

export function createAllowance(rate: Rate, clock: Clock): Allowance {
  return new TokenBucket(clock, rate.burst, rate.perSecond);
}

/** An allowance for each asker, for at most `capacity` of them: the one that asked first is forgotten first. */
export function createAllowances(rate: Rate, capacity: number, clock: Clock): (asker: number) => Allowance {
  const known = new Map<number, Allowance>();
  return (asker) => {
    const hit = known.get(asker);
    if (hit !== undefined) return hit;
    if (known.size >= capacity) known.delete(known.keys().next().value as number);
    const allowance = createAllowance(rate, clock);
    known.set(asker, allowance);
    return allowance;
  };
}
