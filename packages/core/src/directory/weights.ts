import type { Random } from "../base/random.ts";
import type { RelayInfo } from "./relay-info.ts";

/** How far from the median claim a weight may lie: claims are free, so a claim may win this much and no more. */
const CLIP = 4;

/** A weight for each relay: its bandwidth claim, clipped to a quarter and four times the median of all. */
export function relayWeights(relays: readonly RelayInfo[]): ReadonlyMap<string, number> {
  const claims = relays.map((relay) => relay.bandwidthKiB).sort((a, b) => a - b);
  const median = Math.max(1, claims[claims.length >>> 1] ?? 1);
  const clip = (claim: number) => Math.min(Math.max(claim, median / CLIP), median * CLIP);
  return new Map(relays.map((relay) => [relay.key, clip(relay.bandwidthKiB)]));
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
