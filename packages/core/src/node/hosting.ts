import { LIMITS } from "../base/limits.ts";
import type { Relay } from "../circuit/relay.ts";
import { subnetKey } from "../directory/address.ts";
import { hostName, type RelayInfo } from "../directory/relay-info.ts";

export interface HostingDeps {
  readonly relay: Pick<Relay, "keepGuest" | "hostOf">;
  readonly nodeKey: Buffer;
  readonly network: { readonly test: boolean };
}

/**
 * The guests whose channels this relay keeps, so that circuits can be extended to them. A guest costs nobody an address: how many there may be,
 * and how many out of one subnet, is therefore counted here, by the only one who sees where they are.
 */
export class Hosting {
  readonly #deps: HostingDeps;
  readonly #ownName: string;
  /** By key; an object for each time that a guest was taken, since its old channel may end after it came anew. */
  readonly #guests = new Map<string, { readonly subnet: string }>();

  constructor(deps: HostingDeps) {
    this.#deps = deps;
    this.#ownName = hostName(deps.nodeKey);
  }

  get count(): number {
    return this.#guests.size;
  }

  /** Keeps the channel of a guest that names this relay; false where it has none here, or there is no room. Asked again for each info of it. */
  take(info: RelayInfo): boolean {
    const { relay, network } = this.#deps;
    if (info.hosts?.includes(this.#ownName) !== true) return false;
    const host = relay.hostOf(info.nodeKey);
    const guest = { subnet: host === undefined ? "" : subnetKey(host) };
    const others = [...this.#guests].filter(([key]) => key !== info.key).map(([, other]) => other);
    if (others.length >= LIMITS.guestsKept) return false;
    const neighbours = others.filter(({ subnet }) => subnet === guest.subnet).length;
    if (!network.test && neighbours >= LIMITS.guestsKeptPerSubnet) return false;
    const gone = (): void => {
      if (this.#guests.get(info.key) === guest) this.#guests.delete(info.key);
    };
    if (!relay.keepGuest(info.nodeKey, gone)) return false;
    this.#guests.set(info.key, guest);
    return true;
  }
}
