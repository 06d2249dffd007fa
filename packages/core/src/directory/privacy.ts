import { RELAYS_BEFORE_LAST, type Profile } from "./path.ts";
import type { RelayInfo } from "./relay-info.ts";
import { independentCount } from "./subnets.ts";

/** From about here on the operators of a network are too many for a few of them to see much (DESIGN 2). */
const ENOUGH_RELAYS = 50;

export interface Privacy {
  /** Operators as far as addresses tell; 1 in a test network. */
  readonly independentRelays: number;
  /** test: one operator sees all. none: no path. small: timing by few operators. fair: what the threat model promises. */
  readonly level: "test" | "none" | "small" | "fair";
  /** Whole sentences for people, the most important first. */
  readonly sentences: readonly string[];
}

const WHAT_HOLDS =
  "Nobody without the link can read the files or change them unnoticed: that does not depend on relays.";

/** What the relays that are known can hide and what they cannot, for `status`, and before sharing or downloading. */
export function describePrivacy(
  relays: readonly RelayInfo[],
  network: { readonly test: boolean },
  profile: Profile,
): Privacy {
  const needed = RELAYS_BEFORE_LAST[profile] + 1;
  if (network.test && relays.length >= needed) {
    return {
      independentRelays: 1,
      level: "test",
      sentences: [
        "This is a test network: one operator runs all its relays, so that operator can see who shares and who downloads what.",
        WHAT_HOLDS,
      ],
    };
  }
  const independentRelays = network.test ? Math.min(1, relays.length) : independentCount(relays);
  if (independentRelays < needed) {
    return {
      independentRelays,
      level: "none",
      sentences: [
        network.test
          ? `A ${profile} path needs ${needed} relays, also in a test network; ${relays.length} are known, so nothing can be shared or downloaded yet.`
          : `A ${profile} path needs ${needed} relays of different operators; ${independentRelays} are known, so nothing can be shared or downloaded yet.`,
        "Paths are never shortened: on a shorter one a relay would learn both an address and what it is about.",
        WHAT_HOLDS,
      ],
    };
  }
  const path = `Each path leads through ${needed} of ${count(independentRelays)}, none of which knows both ends.`;
  if (independentRelays >= ENOUGH_RELAYS) {
    return {
      independentRelays,
      level: "fair",
      sentences: [
        path,
        "Somebody who watches the traffic at both ends, or runs relays at both ends of a path, can still tell by timing who talks to whom.",
        WHAT_HOLDS,
      ],
    };
  }
  return {
    independentRelays,
    level: "small",
    sentences: [
      `This network is small: under about ${ENOUGH_RELAYS} independent relays a few operators together see a large part of all paths from both ends.`,
      `${chance(independentRelays)} Somebody who watches the traffic at both ends can tell by timing, too.`,
      path,
      WHAT_HOLDS,
    ],
  };
}

function count(relays: number): string {
  return `${relays} relays of different operators, as far as addresses tell`;
}

/** Two operators out of n hold the first and the last place of a random path with a chance of 2 in n (n − 1). */
function chance(relays: number): string {
  const paths = Math.round((relays * (relays - 1)) / 2);
  return `With ${relays}, two operators who work together hold the first and the last place of about one path in ${paths}.`;
}
