import { BackroomError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Standing } from "./measurements.ts";
import type { RelayInfo } from "./relay-info.ts";
import { independentCount, related, subnetsOf } from "./subnets.ts";
import { relayWeights, weightedOrder } from "./weights.ts";

/** How many relays stand before the last hop: standard 2, strong 3 (DESIGN 7). Never fewer: a guard beside a gate would know who and what. */
export type Profile = "standard" | "strong";
export const RELAYS_BEFORE_LAST: Readonly<Record<Profile, number>> = { standard: 2, strong: 3 };

/**
 * What a path is for (DESIGN 6).
 * - seeder: ends at a gate of its own choosing, or again at `gate`; its middle hops come from `seconds`, a small set that is kept, so few relays ever stand beside it.
 * - downloader: ends at `gate`, which was somebody else's choice; middle hops are fresh for every circuit.
 * - lookup: ends at a scout; middle hops fresh.
 * - directory: ends at any relay; middle hops fresh.
 */
export type PathRole =
  | {
      readonly role: "seeder";
      readonly seconds: readonly RelayInfo[];
      readonly gate?: RelayInfo | undefined;
      /** As of a lookup, for the gate. */
      readonly notLast?: ReadonlySet<string>;
    }
  | { readonly role: "downloader"; readonly gate: RelayInfo }
  /** Relays in `notLast` (node keys in hex) may be anything but the scout. */
  | { readonly role: "lookup"; readonly notLast?: ReadonlySet<string> }
  | { readonly role: "directory" };

export interface PathOptions {
  readonly profile: Profile;
  readonly network: { readonly test: boolean };
  /** In order of preference; the first one that fits and is not avoided is hop 1. */
  readonly guards: readonly RelayInfo[];
  /** Of those, the ones that are known to answer: hop 1 where any path fits it. Absent: all. */
  readonly entries?: readonly RelayInfo[] | undefined;
  /** Keys of relays not to use now, for instance because they did not answer; a given gate aside. */
  readonly avoid?: ReadonlySet<string> | undefined;
  /** This member's own measurements. Without them claims alone count, below the median. */
  readonly measured?: ReadonlyMap<string, Standing> | undefined;
}

/** Relays of one subnet in a pool: two, so that a subnet does not weigh more than two homes do. */
const POOL_PER_SUBNET = 2;
/** One path in so many is picked without regard to measurements, or a relay that was slow once would never be measured again. */
const EXPLORE_ONE_IN = 8;
/** Relays tried before a path is taken for impossible; a possible one takes as many as it has hops, or a few more. */
const SEARCH_STEPS = 4000;

/**
 * Picks the relays of a path, guard first. All are different and, outside test networks, no two of them share a /24 (v6 /48).
 * `relays` is in the table's order, best vouched for first. Raises E_NETWORK_TOO_SMALL when there is no such path.
 */
export function pickPath(
  relays: readonly RelayInfo[],
  want: PathRole,
  options: PathOptions,
  random: Random,
): RelayInfo[] {
  const avoid = options.avoid ?? new Set<string>();
  const pool = poolOf(relays, options.network).filter((relay) => !avoid.has(relay.key));
  const guards = options.guards.filter((guard) => !avoid.has(guard.key));
  const guardKeys = new Set(options.guards.map((guard) => guard.key));
  const middle = want.role === "seeder" ? want.seconds.filter((relay) => !avoid.has(relay.key)) : pool;
  const explores = options.measured !== undefined && random.below(EXPLORE_ONE_IN) === 0;
  const measured = explores ? undefined : options.measured;
  const withoutGuards = (list: readonly RelayInfo[]) => list.filter((relay) => !guardKeys.has(relay.key));
  // Own guards are left out of the other places, so that no last hop meets one as its neighbour, unless only they are left.
  const entries = (options.entries ?? []).filter((guard) => !avoid.has(guard.key));
  const path =
    findPath(withoutGuards(middle), lastHops(withoutGuards(pool), want)) ??
    findPath(middle, lastHops(pool, want));
  if (path === undefined) throw tooSmall(relays, want, options);
  return path;

  function findPath(middle: readonly RelayInfo[], last: readonly RelayInfo[]): RelayInfo[] | undefined {
    const found = entries.length === 0 ? undefined : search(entries, middle, last);
    return found ?? search(guards, middle, last);
  }

  function search(
    first: readonly RelayInfo[],
    middle: readonly RelayInfo[],
    last: readonly RelayInfo[],
  ): RelayInfo[] | undefined {
    const weighted = (list: readonly RelayInfo[]) => ({
      candidates: list,
      weights: relayWeights(list, measured),
    });
    const middles = Array.from({ length: RELAYS_BEFORE_LAST[options.profile] - 1 }, () => weighted(middle));
    // The scarcest places first: the last hop needs a flag or is given, the guard comes out of a few.
    const slots: Slot[] = [weighted(last), { candidates: first, weights: undefined }, ...middles];
    const found = fill(slots, { network: options.network, random, steps: SEARCH_STEPS });
    if (found === undefined) return undefined;
    const [lastHop, ...before] = found;
    return [...before, lastHop as RelayInfo];
  }
}

/** Guards, best vouched and by weight, of different subnets, also from those in `held`. */
export function pickGuards(
  relays: readonly RelayInfo[],
  count: number,
  network: { readonly test: boolean },
  random: Random,
  held: readonly RelayInfo[] = [],
): RelayInfo[] {
  return pickDistinct(poolOf(relays, network), count, held, network, random);
}

/** The small set of middle hops that a seeder keeps; none related to each other or, as far as there are enough, to its guards. */
export function pickSeconds(
  relays: readonly RelayInfo[],
  guards: readonly RelayInfo[],
  count: number,
  network: { readonly test: boolean },
  random: Random,
): RelayInfo[] {
  const pool = poolOf(relays, network);
  const apart = pickDistinct(pool, count, guards, network, random);
  if (apart.length === count) return apart;
  const others = pool.filter((relay) => !apart.includes(relay));
  return [...apart, ...pickDistinct(others, count - apart.length, apart, network, random)];
}

function pickDistinct(
  pool: readonly RelayInfo[],
  count: number,
  apartFrom: readonly RelayInfo[],
  network: { readonly test: boolean },
  random: Random,
): RelayInfo[] {
  const picked: RelayInfo[] = [];
  for (const relay of weightedOrder(pool, relayWeights(pool), random)) {
    if (picked.length >= count) break;
    if (![...picked, ...apartFrom].some((other) => related(other, relay, network))) picked.push(relay);
  }
  return picked;
}

/** At most two relays of a subnet, those that come first. In a test network everything is in one subnet, and all are kept. */
function poolOf(relays: readonly RelayInfo[], network: { readonly test: boolean }): readonly RelayInfo[] {
  if (network.test) return relays;
  const counts = new Map<string, number>();
  return relays.filter((relay) => {
    const subnets = subnetsOf(relay);
    if (subnets.some((subnet) => (counts.get(subnet) ?? 0) >= POOL_PER_SUBNET)) return false;
    for (const subnet of subnets) counts.set(subnet, (counts.get(subnet) ?? 0) + 1);
    return true;
  });
}

function lastHops(pool: readonly RelayInfo[], want: PathRole): readonly RelayInfo[] {
  if ("gate" in want && want.gate !== undefined) return [want.gate];
  if (want.role !== "seeder" && want.role !== "lookup") return pool;
  const flag = want.role === "seeder" ? "gate" : "scout";
  return pool.filter((relay) => relay[flag] && want.notLast?.has(relay.key) !== true);
}

interface Slot {
  readonly candidates: readonly RelayInfo[];
  /** Undefined where the order of the candidates is the order of preference. */
  readonly weights: ReadonlyMap<string, number> | undefined;
}

interface Search {
  readonly network: { readonly test: boolean };
  readonly random: Random;
  steps: number;
}

/** Depth-first: one relay a slot, none related to another. Undefined when there is none, or none was found within the steps. */
function fill(slots: readonly Slot[], search: Search): RelayInfo[] | undefined {
  const [slot, ...others] = slots;
  if (slot === undefined) return [];
  const order =
    slot.weights === undefined
      ? slot.candidates
      : weightedOrder(slot.candidates, slot.weights, search.random);
  for (const relay of order) {
    if (search.steps-- <= 0) return undefined;
    const fits = (other: RelayInfo) => !related(relay, other, search.network);
    const narrowed = others.map((slot) => ({ ...slot, candidates: slot.candidates.filter(fits) }));
    if (narrowed.some((slot) => slot.candidates.length === 0)) continue;
    const rest = fill(narrowed, search);
    if (rest !== undefined) return [relay, ...rest];
  }
  return undefined;
}

const LAST_HOP = {
  seeder: "a gate",
  downloader: "the gate",
  lookup: "a scout",
  directory: "a relay",
} as const;

function tooSmall(relays: readonly RelayInfo[], want: PathRole, options: PathOptions): BackroomError {
  const { profile, network } = options;
  const needed = RELAYS_BEFORE_LAST[profile] + 1;
  const known = network.test ? relays.length : independentCount(relays);
  const kind = network.test ? "different relays" : "relays of different operators, as far as addresses tell";
  const strong = profile === "strong" ? ", choose the standard profile, which needs one relay fewer" : "";
  return new BackroomError("E_NETWORK_TOO_SMALL", "no path hides enough with the relays that are known", {
    why:
      `a ${profile} path leads through ${needed} ${kind}, the last of them ${LAST_HOP[want.role]}, and this computer knows ${known} in all. ` +
      "On a shorter path one relay would learn both this computer's address and which share it is about, " +
      "so the path is not shortened and nothing is sent",
    fix: `wait until more relays have joined, run one at another address${strong}, or join again with a newer invite`,
  });
}
