import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";

/** After this long a measurement weighs half: relays change their lines, and their load. */
const HALF_LIFE_MS = 3 * 24 * 3600 * 1000;
/** Measurements beyond this many say nothing new, and would make what is new count for nothing. */
const MOST_WEIGHT = 16;
/** At this weight an estimate counts for half of what it says. */
const HALF_TRUST = 2;
/** How far from the median one relay may seem to be, in powers of two: what one measures can be staged, too. */
const MOST_FACTOR = 2;
/** A relay that joined a circuit within this time is one that is there. */
const SEEN_MS = 24 * 3600 * 1000;

/** A mean of logarithms (to base 2), so that one wild value does not count for a hundred others. */
export interface Estimate {
  readonly log2: number;
  readonly weight: number;
}

/** What this member has measured at one relay. */
export interface RelayMeasurement {
  /** Of a transfer through a path that it was part of, in bytes a second. */
  readonly rate: Estimate;
  /** From asking for it as the next hop to its answer, in milliseconds: the way to it, its dial and its handshake. */
  readonly join: Estimate;
  /** Wall clock, of the last measurement. */
  readonly atMs: number;
}

/** How a relay compares with the median of all that were measured, in powers of two, within ± 2; each with how far it can be trusted (0 to 1). */
export interface Standing {
  readonly rate: number;
  readonly rateTrust: number;
  /** Positive for a relay that is quicker. */
  readonly quickness: number;
}

const NOTHING: Estimate = { log2: 0, weight: 0 };

/**
 * A member's own measurements of relays. A path is as slow as its slowest part, so each value says little about one relay; the mean over many
 * paths does. Bounded: those measured longest ago are forgotten.
 */
export class Measurements {
  readonly #clock: Pick<Clock, "nowMs">;
  /** By node key in hex; the one measured last comes last. */
  readonly #byKey = new Map<string, RelayMeasurement>();

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#byKey.size;
  }

  noteRate(key: string, bytesPerSecond: number): void {
    const old = this.#aged(key);
    this.#set(key, { ...old, rate: added(old.rate, Math.log2(Math.max(1, bytesPerSecond))) });
  }

  noteJoin(key: string, ms: number): void {
    const old = this.#aged(key);
    this.#set(key, { ...old, join: added(old.join, Math.log2(Math.max(1, ms))) });
  }

  /** It has joined a circuit or carried data lately. */
  wasSeen(key: string): boolean {
    return this.#clock.nowMs() - (this.#byKey.get(key)?.atMs ?? -Infinity) < SEEN_MS;
  }

  /** By node key in hex, of all that were measured. */
  standings(): Map<string, Standing> {
    const all = [...this.#byKey.keys()].map((key): [string, RelayMeasurement] => [key, this.#aged(key)]);
    const rate = median(all.map(([, one]) => one.rate));
    const join = median(all.map(([, one]) => one.join));
    return new Map(
      all.map(([key, one]) => {
        const quickness = trust(one.join) * clamp(join - one.join.log2);
        return [key, { rate: clamp(one.rate.log2 - rate), rateTrust: trust(one.rate), quickness }];
      }),
    );
  }

  entries(): [string, RelayMeasurement][] {
    return [...this.#byKey];
  }

  /** Takes over what was saved, or what another process of this member has measured; for each relay the later one counts. */
  restore(saved: Iterable<[string, RelayMeasurement]>): void {
    const all = [...this.#byKey, ...saved].toSorted(([, a], [, b]) => a.atMs - b.atMs);
    this.#byKey.clear();
    const nowMs = this.#clock.nowMs();
    // One from the future was noted while the clock was wrong.
    for (const [key, one] of all) this.#put(key, { ...one, atMs: Math.min(one.atMs, nowMs) });
  }

  #aged(key: string): RelayMeasurement {
    const one = this.#byKey.get(key);
    if (one === undefined) return { rate: NOTHING, join: NOTHING, atMs: this.#clock.nowMs() };
    const left = 2 ** (-Math.max(0, this.#clock.nowMs() - one.atMs) / HALF_LIFE_MS);
    const aged = ({ log2, weight }: Estimate): Estimate => ({ log2, weight: weight * left });
    return { rate: aged(one.rate), join: aged(one.join), atMs: one.atMs };
  }

  #set(key: string, one: RelayMeasurement): void {
    this.#put(key, { ...one, atMs: this.#clock.nowMs() });
  }

  #put(key: string, one: RelayMeasurement): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, one);
    if (this.#byKey.size <= LIMITS.measuredRelays) return;
    for (const oldest of this.#byKey.keys()) {
      this.#byKey.delete(oldest);
      break;
    }
  }
}

function added({ log2, weight }: Estimate, value: number): Estimate {
  const before = Math.min(weight, MOST_WEIGHT);
  return { log2: (log2 * before + value) / (before + 1), weight: before + 1 };
}

function trust({ weight }: Estimate): number {
  return weight / (weight + HALF_TRUST);
}

function clamp(value: number): number {
  return Math.min(Math.max(value, -MOST_FACTOR), MOST_FACTOR);
}

function median(estimates: readonly Estimate[]): number {
  const values = estimates.filter(({ weight }) => weight > 0).map(({ log2 }) => log2);
  return values.toSorted((a, b) => a - b)[values.length >>> 1] ?? 0;
}
