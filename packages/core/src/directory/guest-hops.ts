import type { Random } from "../base/random.ts";
import type { RelayInfo } from "./relay-info.ts";

/**
 * Where a guest may stand: directly behind a host of its, at most once, never first or last (PROTOCOL 7.5). How often, as one in so many
 * paths: a relay can make up any number of guests, so where its guests followed it as often as they ask for, whoever is a member's guard would
 * be its second hop too. One in sixteen is what a second relay of the guard's would have in a network of sixteen.
 */
const BEHIND_GUARD = 16;
/** What stands in front is a relay drawn anew for this circuit, which does not know who is at the beginning. */
const BEHIND_OTHERS = 4;
/** One operator runs all relays there, so nothing is lost, and guests can be seen to work. */
const IN_TEST_NETWORK = 2;

export interface GuestHopsOptions {
  readonly network: { readonly test: boolean };
  /** The guests that are known behind a relay. */
  guestsBehind(host: RelayInfo): readonly RelayInfo[];
}

/** The path, possibly with a guest in place of one of the hops between guard and last. */
export function placeGuest(
  path: readonly RelayInfo[],
  options: GuestHopsOptions,
  random: Random,
): RelayInfo[] {
  const used = new Set(path.map((relay) => relay.key));
  for (let index = 1; index < path.length - 1; index++) {
    const guests = options.guestsBehind(path[index - 1] as RelayInfo).filter((guest) => !used.has(guest.key));
    const oneIn = options.network.test ? IN_TEST_NETWORK : index === 1 ? BEHIND_GUARD : BEHIND_OTHERS;
    if (guests.length === 0 || random.below(oneIn) !== 0) continue;
    return path.toSpliced(index, 1, guests[random.below(guests.length)] as RelayInfo);
  }
  return [...path];
}
