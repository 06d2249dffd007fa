import type { Hint } from "../directory/bootstrap.ts";
import type { Network } from "../directory/network.ts";
import { namedSource } from "../directory/subnets.ts";
import type { Hooks } from "./hooks.ts";
import type { Machine } from "./machine.ts";

/** Everybody on a local network is one source: in a café any guest can answer for as many relays as it likes. */
const LAN_SOURCE = namedSource("local network");

/** Relays on the local network, as hints: their keys are proved when they are dialled. Behind a proxy nobody is asked, and that is said. */
export function lanFinder(
  network: Network,
  machine: Machine,
  hooks: Pick<Hooks, "note">,
): () => Promise<Hint[]> {
  return async () => {
    if (machine.searchLan === undefined) {
      hooks.note("The local network is not asked for relays: that would go past the proxy.");
      return [];
    }
    const found = await machine.searchLan(network.id);
    return found.map((relay) => ({ relay, source: LAN_SOURCE }));
  };
}
