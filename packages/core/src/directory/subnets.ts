import { sha256 } from "../crypto/hash.ts";
import { blockKey, subnetKey } from "./address.ts";
import type { RelayInfo } from "./relay-info.ts";

/** Addresses are all that a stranger has to pay for: relays of one /24 (v6 /48) are taken for one operator's. */
const subnetsByInfo = new WeakMap<RelayInfo, readonly string[]>();

/** The subnets of a relay's addresses, each once. */
export function subnetsOf(info: RelayInfo): readonly string[] {
  const known = subnetsByInfo.get(info);
  if (known !== undefined) return known;
  const subnets = [...new Set(info.endpoints.map((endpoint) => subnetKey(endpoint.host)))];
  subnetsByInfo.set(info, subnets);
  return subnets;
}

/** The /16s (v6 /32s) of a relay's addresses, each once. */
export function blocksOf(info: RelayInfo): string[] {
  return [...new Set(info.endpoints.map((endpoint) => blockKey(endpoint.host)))];
}

/** Whether two relays may be one operator's. In a test network they are, so only the same relay counts. */
export function related(a: RelayInfo, b: RelayInfo, network: { readonly test: boolean }): boolean {
  if (a.key === b.key) return true;
  if (network.test) return false;
  const subnets = subnetsOf(b);
  return subnetsOf(a).some((subnet) => subnets.includes(subnet));
}

/**
 * How many operators the relays have at least as far as addresses tell: relays that share a subnet, also by way of a third one, count once.
 */
export function independentCount(relays: readonly RelayInfo[]): number {
  const parents = new Map<string, string>();
  const root = (subnet: string): string => {
    let at = subnet;
    for (let up = parents.get(at); up !== undefined && up !== at; up = parents.get(at)) at = up;
    return at;
  };
  for (const relay of relays) {
    const subnets = subnetsOf(relay);
    for (const subnet of subnets) if (!parents.has(subnet)) parents.set(subnet, subnet);
    for (const subnet of subnets) parents.set(root(subnet), root(subnets[0] as string));
  }
  return [...parents].filter(([subnet, parent]) => subnet === parent).length;
}

/**
 * Stands for a relay as a source of infos, 8 bytes in hex: equal for relays that may be one operator's. In a test network every relay counts,
 * since nothing independent is to be had.
 */
export function sourceOf(info: RelayInfo, network: { readonly test: boolean }): string {
  const name = network.test ? info.key : (subnetsOf(info)[0] ?? info.key);
  return namedSource(name);
}

/** A source that is no relay, for instance an invite, by a name of our own. */
export function namedSource(name: string): string {
  return sha256(Buffer.from(name, "latin1")).toString("hex", 0, 8);
}
