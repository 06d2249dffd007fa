import { LIMITS } from "../../base/limits.ts";
import type { Endpoint } from "../channel.ts";

/**
 * What the nodes of the DHT name in one look-up. A node that lies can name any number of places, and one on the way answers before those that know: so of what
 * one neighbourhood of nodes says only so much is taken, and no answer ends the look-up.
 */
export class FoundEndpoints {
  readonly #found = new Map<string, Endpoint>();
  readonly #takenFrom = new Map<string, number>();

  /** `from`: the node that says so; undefined for what this node itself was told. */
  add({ host, port }: Endpoint, from: Endpoint | undefined): void {
    const name = `${host} ${port}`;
    if (this.#found.has(name) || this.#found.size >= LIMITS.dhtResults) return;
    const neighbourhood = from === undefined ? "" : neighbourhoodOf(from);
    const taken = this.#takenFrom.get(neighbourhood) ?? 0;
    if (taken >= LIMITS.dhtResultsPerSubnet) return;
    this.#takenFrom.set(neighbourhood, taken + 1);
    this.#found.set(name, { host, port });
  }

  list(): Endpoint[] {
    return [...this.#found.values()];
  }
}

/** A /24: the DHT speaks IPv4. */
function neighbourhoodOf({ host }: Endpoint): string {
  return host.slice(0, host.lastIndexOf("."));
}
