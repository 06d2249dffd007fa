import type { Log } from "../base/log.ts";
import type { ChannelPool } from "../circuit/channel-pool.ts";
import type { Hint } from "../directory/bootstrap.ts";
import type { Network } from "../directory/network.ts";
import { networkTopic } from "../directory/network-topic.ts";
import { relaysAt } from "../directory/relays-at.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import type { Hooks } from "./hooks.ts";
import type { Machine } from "./machine.ts";

export interface DhtFinderDeps {
  readonly network: Network;
  readonly machine: Machine;
  readonly channels: ChannelPool;
  readonly log: Log;
  /** Known from earlier runs: relays are nodes of the DHT, too, and one may still be that under its old address. */
  readonly cached: readonly JoinRelay[];
}

const QUESTION =
  "None of the relays that this computer knows could be asked, or too few. The public DHT may name others: its nodes, and whoever they name, " +
  "then see this computer's address and which network it looks for. They could all be one person's.";

/** Relays that announce themselves in the DHT, as hints, by the person's consent: members never ask it otherwise. Behind a proxy nobody is asked. */
export function dhtFinder(
  deps: DhtFinderDeps,
  hooks: Pick<Hooks, "confirm" | "status">,
): () => Promise<Hint[]> {
  const { network, machine, channels, log, cached } = deps;
  const { random, searchDht } = machine;
  return async () => {
    const nodes = [...network.bootstrap, ...network.relays, ...cached];
    if (searchDht === undefined || nodes.length === 0) return [];
    if (!(await hooks.confirm(QUESTION, "--accept-dht"))) return [];
    hooks.status("Asking the DHT for relays …");
    const search = { hash: networkTopic(network.id), nodes, testNetwork: network.test };
    const endpoints = await searchDht(search, log);
    const dialer = machine.createDialer({ networkId: network.id });
    // Once a run, and for itself: there is nothing to be counted.
    const isAllowed = (): boolean => true;
    return relaysAt(endpoints, { network, dialer, channels, random, log, isAllowed });
  };
}
