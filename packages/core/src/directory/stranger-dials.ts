import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";
import type { Endpoint } from "../net/channel.ts";
import { subnetKey } from "./address.ts";

export interface StrangerDialsDeps {
  readonly clock: Clock;
  readonly network: { readonly test: boolean };
}

/** Why a stranger wants something dialled: EXTEND, or PUBLISH and REACH, which have a bound of their own so that neither uses up the other's. */
export type DialPurpose = "extend" | "probe";

/**
 * Dials on the word of somebody who may have signed a relay info for any address that there is. A relay must not be a tool to scan with, or to knock
 * at one door with many relays' hands: few dials in all, and very few to one subnet.
 */
export class StrangerDials {
  readonly #deps: StrangerDialsDeps;
  readonly #all: Record<DialPurpose, TokenBucket>;
  /** The subnet that was dialled first is forgotten first. */
  readonly #subnets = new Map<string, TokenBucket>();

  constructor(deps: StrangerDialsDeps) {
    this.#deps = deps;
    this.#all = {
      extend: new TokenBucket(deps.clock, LIMITS.extendDialBurst, LIMITS.extendDialsPerSecond),
      probe: new TokenBucket(deps.clock, LIMITS.probeBurstCount, LIMITS.probePerSecond),
    };
  }

  /** Whether all of these may be dialled now; then they are counted. A test network lives in one subnet. */
  take(purpose: DialPurpose, endpoints: readonly Endpoint[]): boolean {
    const names = this.#deps.network.test ? [] : endpoints.map(({ host }) => subnetKey(host));
    const buckets = [...new Set(names)].map((name) => this.#bucketOf(name));
    if (!this.#all[purpose].ready || !buckets.every(({ ready }) => ready)) return false;
    this.#all[purpose].take();
    for (const bucket of buckets) bucket.take();
    return true;
  }

  #bucketOf(subnet: string): TokenBucket {
    const known = this.#subnets.get(subnet);
    if (known !== undefined) return known;
    if (this.#subnets.size >= LIMITS.dialSubnets) {
      this.#subnets.delete(this.#subnets.keys().next().value as string);
    }
    const fresh = new TokenBucket(this.#deps.clock, LIMITS.dialSubnetBurst, 1000 / LIMITS.dialSubnetEveryMs);
    this.#subnets.set(subnet, fresh);
    return fresh;
  }
}
