import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Network } from "../directory/network.ts";
import {
  biasVerdict,
  countCircuit,
  NO_COUNTS,
  type BiasCounts,
  type BiasKind,
  type BiasVerdict,
} from "../directory/path-bias.ts";
import { pickGuards } from "../directory/path.ts";
import type { RelayInfo } from "../directory/relay-info.ts";
import { related } from "../directory/subnets.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import { KeptRelays, keyOf, type KeepingRule, type KeptRelay } from "./kept-relays.ts";

/** Guards that are in use and known to be there: the primary ones. */
const PRIMARY = 3;
const DAY_MS = 24 * 3600 * 1000;
/**
 * 120 days on average. Long, because each change is another chance to meet a hostile one; not for ever, because a hostile one would stay as well.
 * Nine at most: an outage, or somebody who makes one, must not walk a member's address through the network.
 */
const RULE: KeepingRule = { most: 9, leastMs: 105 * DAY_MS, spreadMs: 30 * DAY_MS };
/** A guard that did not answer is tried again after this, doubled each time. */
const RETRY_LEAST_MS = 5_000;
const RETRY_MOST_MS = 10 * 60_000;

/**
 * For so long all of them have to be away, where one has answered in this run: a line that is dead for a moment, or a computer that wakes up, is no reason to
 * show oneself to more relays. Not for long, since all of them may be gone indeed.
 */
const CUT_OFF_MS = 60_000;

/** A guard as it is kept on disk. */
export interface KeptGuard extends KeptRelay {
  readonly counts: BiasCounts;
  /** It let too few circuits succeed. It keeps its place in the list, or each such guard would make room for another one. */
  readonly replaced: boolean;
}

export interface GuardsDeps {
  readonly network: Pick<Network, "test">;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs">;
  readonly random: Random;
}

interface Outage {
  failures: number;
  sinceMs: number;
  retryAtMs: number;
}

/**
 * The relays that this member enters the network through, kept for months (DESIGN 1), in order: the first one that answers is used. With new
 * ones for each run, a few evenings would show one's address to every relay that cares to see it.
 */
export class Guards {
  readonly #deps: GuardsDeps;
  readonly #kept: KeptRelays;
  readonly #counts = new Map<string, BiasCounts>();
  readonly #replaced = new Set<string>();
  /** Those that did not answer when they were last tried; monotonic times. */
  readonly #outages = new Map<string, Outage>();
  #workedMs = -Infinity;

  constructor(saved: readonly KeptGuard[], deps: GuardsDeps) {
    this.#deps = deps;
    this.#kept = new KeptRelays(saved, RULE, deps);
    for (const guard of saved) this.#note(guard);
  }

  /** Where they were when last heard of: whom to ask first for other relays. */
  joinRelays(): JoinRelay[] {
    const relays = this.#kept.list().map(({ relay }) => relay);
    return relays.filter((relay) => !this.#replaced.has(keyOf(relay)));
  }

  list(): KeptGuard[] {
    return this.#kept.list().map((kept) => {
      const key = keyOf(kept.relay);
      return { ...kept, counts: this.#countsOf(key), replaced: this.#replaced.has(key) };
    });
  }

  /**
   * Those that are in `relays` (the table's order), in order of preference: the primary ones, no two of which are related, then those that
   * stand in. Topped up to three; those that were replaced are only there where nothing else is.
   */
  among(relays: readonly RelayInfo[]): RelayInfo[] {
    const missing = PRIMARY - this.#ranked(relays).length;
    if (missing > 0) this.#grow(relays, relays, missing);
    const ranked = this.#ranked(relays);
    return ranked.length > 0 ? ranked : this.#kept.among(relays);
  }

  /** None of them answers: takes more, as far as that is allowed and it is not likely that this computer is offline; false when not. */
  takeMore(relays: readonly RelayInfo[]): boolean {
    // Of those in use: one that was replaced is not tried any more, and says nothing of how long the others are away.
    const outages = this.#ranked(relays).flatMap(({ key }) => this.#outages.get(key) ?? []);
    const sinceMs = Math.max(...outages.map((outage) => outage.sinceMs));
    const hasWorked = this.#workedMs > -Infinity;
    if (hasWorked && this.#deps.clock.monotonicMs() - sinceMs < CUT_OFF_MS) return false;
    const before = this.#ranked(relays).length;
    const down = this.down();
    this.#grow(
      relays,
      relays.filter((relay) => !down.has(relay.key)),
      PRIMARY,
    );
    return this.#ranked(relays).length > before;
  }

  /** Its channel is up. */
  worked(key: string): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#outages.delete(key);
    // What failed since anything last worked may have failed because this computer was offline.
    for (const outage of this.#outages.values()) {
      if (outage.sinceMs > this.#workedMs) outage.retryAtMs = nowMs;
    }
    this.#workedMs = nowMs;
  }

  /** No channel to it came up. */
  failed(key: string): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const { failures, sinceMs } = this.#outages.get(key) ?? { failures: 0, sinceMs: nowMs };
    const waitMs = Math.min(RETRY_LEAST_MS * 2 ** failures, RETRY_MOST_MS);
    this.#outages.set(key, { failures: failures + 1, sinceMs, retryAtMs: nowMs + waitMs });
  }

  /** Those that did not answer when they were last tried, by node key in hex: until they do, nothing waits for them. */
  down(): Set<string> {
    return new Set(this.#outages.keys());
  }

  /** When the guard that did not answer is to be tried again; monotonic, undefined where it answered last. */
  retryAtMs(key: string): number | undefined {
    return this.#outages.get(key)?.retryAtMs;
  }

  /** One more circuit through it (see `countCircuit`). Gives the verdict when that is another one than before. */
  count(key: string, kind: BiasKind, isSuccess: boolean, weight?: number): BiasVerdict | undefined {
    if (!this.#kept.has(key)) return undefined;
    const before = this.#countsOf(key);
    const after = countCircuit(before, kind, isSuccess, weight);
    this.#counts.set(key, after);
    const verdict = biasVerdict(after);
    return verdict === biasVerdict(before) ? undefined : verdict;
  }

  /** Not used any more, for as long as it would have been kept. False where it was not. */
  replace(key: string): boolean {
    if (!this.#kept.has(key) || this.#replaced.has(key)) return false;
    this.#replaced.add(key);
    return true;
  }

  /** Takes over what another process of this member has written. */
  merge(others: readonly KeptGuard[]): void {
    this.#kept.merge(others);
    for (const guard of others) this.#note(guard);
  }

  #note({ relay, counts, replaced }: KeptGuard): void {
    const key = keyOf(relay);
    const own = this.#countsOf(key);
    // Of two processes, the one that has seen more; their sum would count what both had read twice.
    if (counts.attempts + counts.uses > own.attempts + own.uses) this.#counts.set(key, counts);
    if (replaced) this.#replaced.add(key);
  }

  #countsOf(key: string): BiasCounts {
    return this.#counts.get(key) ?? NO_COUNTS;
  }

  #ranked(relays: readonly RelayInfo[]): RelayInfo[] {
    const usable = this.#kept.among(relays).filter((relay) => !this.#replaced.has(relay.key));
    const primary: RelayInfo[] = [];
    for (const relay of usable) {
      if (primary.length >= PRIMARY) break;
      // They may have moved together since they were chosen.
      if (!primary.some((other) => related(other, relay, this.#deps.network))) primary.push(relay);
    }
    return [...primary, ...usable.filter((relay) => !primary.includes(relay))];
  }

  #grow(relays: readonly RelayInfo[], pool: readonly RelayInfo[], count: number): void {
    const { network, random } = this.#deps;
    const candidates = pool.filter((relay) => !this.#kept.has(relay.key));
    this.#kept.add(pickGuards(candidates, count, network, random, this.#ranked(relays)), relays);
  }
}
