import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { joinRelayOf } from "../directory/network.ts";
import type { RelayInfo } from "../directory/relay-info.ts";
import type { JoinRelay } from "../link/join-relay.ts";

/** A relay that a member stays with, and until when: wall clock, since it outlives the run. */
export interface KeptRelay {
  readonly relay: JoinRelay;
  readonly untilMs: number;
}

export interface KeepingRule {
  /** However often relays fail, no more than this many are chosen within their life: whoever makes them fail must not walk a member through the network. */
  readonly most: number;
  /** How long each is kept. Spread, so that they do not all change on one day. */
  readonly leastMs: number;
  readonly spreadMs: number;
}

export interface KeepingDeps {
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Random;
}

/**
 * An ordered sample of relays that is kept from run to run (guards for months, a seeder's middle hops for days). Those that come first are
 * preferred; one that is away keeps its place and stands in again when it is back.
 */
export class KeptRelays {
  readonly #rule: KeepingRule;
  readonly #deps: KeepingDeps;
  /** Those that made room in this run: what another process has written must not bring them back. */
  readonly #dropped = new Set<string>();
  #kept: KeptRelay[];

  constructor(saved: readonly KeptRelay[], rule: KeepingRule, deps: KeepingDeps) {
    this.#rule = rule;
    this.#deps = deps;
    const lastMs = deps.clock.nowMs() + rule.leastMs + rule.spreadMs;
    // One that would be kept for longer than any was noted while the clock was wrong.
    this.#kept = saved.map(({ relay, untilMs }) => ({ relay, untilMs: Math.min(untilMs, lastMs) }));
    this.#kept = this.list().slice(0, rule.most);
  }

  /** Those whose time is not over. */
  list(): KeptRelay[] {
    const nowMs = this.#deps.clock.nowMs();
    this.#kept = this.#kept.filter(({ untilMs }) => untilMs > nowMs);
    return [...this.#kept];
  }

  has(key: string): boolean {
    return this.list().some(({ relay }) => keyOf(relay) === key);
  }

  /** Those of `relays` that are kept, in the order of preference. */
  among(relays: readonly RelayInfo[]): RelayInfo[] {
    const byKey = new Map(relays.map((relay) => [relay.key, relay]));
    return this.list().flatMap(({ relay }) => byKey.get(keyOf(relay)) ?? []);
  }

  /** Keeps `picked`, too, as far as there is room; those that are not in `relays` any more make room, the oldest first. */
  add(picked: readonly RelayInfo[], relays: readonly RelayInfo[]): void {
    const { clock, random } = this.#deps;
    const here = new Set(relays.map((relay) => relay.key));
    for (const info of picked) {
      if (this.has(info.key)) continue;
      if (this.#kept.length >= this.#rule.most) {
        const gone = this.#kept.findIndex(({ relay }) => !here.has(keyOf(relay)));
        if (gone < 0) return;
        for (const { relay } of this.#kept.splice(gone, 1)) this.#dropped.add(keyOf(relay));
      }
      const lifeMs = this.#rule.leastMs + random.below(this.#rule.spreadMs);
      this.#kept.push({ relay: joinRelayOf(info), untilMs: clock.nowMs() + lifeMs });
    }
  }

  /** Takes over what another process of this member has kept meanwhile, in front: the first to write was the first to use it. */
  merge(others: readonly KeptRelay[]): void {
    const theirs = new Set(others.map(({ relay }) => keyOf(relay)));
    const own = this.#kept.filter(({ relay }) => !theirs.has(keyOf(relay)));
    this.#kept = [...others.filter(({ relay }) => !this.#dropped.has(keyOf(relay))), ...own];
    this.#kept = this.list().slice(0, this.#rule.most);
  }
}

export function keyOf(relay: Pick<JoinRelay, "nodeKey">): string {
  return relay.nodeKey.toString("hex");
}
