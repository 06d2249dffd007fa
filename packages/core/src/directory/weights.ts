import type { Random } from "../base/random.ts";
import type { Standing } from "./measurements.ts";
import type { RelayInfo } from "./relay-info.ts";

/** How far from the median a weight may lie, in powers of two: neither a claim nor what was measured wins or loses more than this. */
const CLIP = 2;
/**
 * A claim of this counts in full, as the line of a good home: more has to be shown. A bound of our own and not the median, which is the attacker's once it has
 * most of a list: then whoever claims honestly would be drawn four times less (docs/adr/0029-claims-have-a-bound-of-their-own.md).
 */
const CLAIM_KIB = 1000;

const UNMEASURED: Standing = { rate: 0, rateTrust: 0, quickness: 0 };

/**
 * A weight for each relay, between 1/4 and 4: what this member measured itself, as far as it can be trusted, and for the rest the relay's
 * bandwidth claim. Claims are free, so one that is low is believed, and one above CLAIM_KIB counts as that: who wants more has to carry it.
 */
export function relayWeights(
  relays: readonly RelayInfo[],
  measured: ReadonlyMap<string, Standing> = new Map(),
): ReadonlyMap<string, number> {
  return new Map(
    relays.map((relay) => {
      const { rate, rateTrust, quickness } = measured.get(relay.key) ?? UNMEASURED;
      const claim = clip(Math.min(0, Math.log2(Math.max(1, relay.bandwidthKiB) / CLAIM_KIB)));
      return [relay.key, 2 ** clip((1 - rateTrust) * claim + rateTrust * rate + quickness / 2)];
    }),
  );
}

function clip(log2: number): number {
  return Math.min(Math.max(log2, -CLIP), CLIP);
}

/** The relays one after another, each drawn by weight from those that are left. Lazy: mostly the first one is all that is asked for. */
export function* weightedOrder(
  relays: readonly RelayInfo[],
  weights: ReadonlyMap<string, number>,
  random: Random,
): Generator<RelayInfo> {
  const left = [...relays];
  const weightOf = (relay: RelayInfo) => weights.get(relay.key) ?? 0;
  while (left.length > 0) {
    const total = left.reduce((sum, relay) => sum + weightOf(relay), 0);
    let at = (random.below(2 ** 32) / 2 ** 32) * total;
    let index = left.findIndex((relay) => (at -= weightOf(relay)) < 0);
    // Rounding can leave a sliver behind the last one.
    if (index < 0) index = left.length - 1;
    yield left[index] as RelayInfo;
    left[index] = left.at(-1) as RelayInfo;
    left.pop();
  }
}
