import { isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { shuffled, type Random } from "../base/random.ts";
import type { ChannelPool } from "../circuit/channel-pool.ts";
import type { Dialer, Endpoint } from "../net/channel.ts";
import { mayDial, subnetKey } from "./address.ts";
import type { Hint } from "./bootstrap.ts";
import { namedSource } from "./subnets.ts";

export interface RelaysAtDeps {
  readonly network: { readonly test: boolean };
  readonly dialer: Dialer;
  readonly channels: ChannelPool;
  readonly random: Random;
  readonly log: Log;
  /** Asked last of all: whether this one may be dialled now, too. */
  isAllowed(endpoint: Endpoint): boolean;
}

/** Whoever answers in the DHT chose all that is found there. */
const DHT_SOURCE = namedSource("network topic");

/**
 * Which relays there are at endpoints that the DHT named, of whose keys nothing is known: dials a few, drawn at random and of different subnets, and
 * takes the keys that they prove. Anybody can have anything named there, so it is one source, one connection each, and never a private
 * address outside a test network. The channels are kept for the questions that follow.
 */
export async function relaysAt(endpoints: readonly Endpoint[], deps: RelaysAtDeps): Promise<Hint[]> {
  const { network, dialer, channels, random, log } = deps;
  const chosen = new Map<string, Endpoint>();
  for (const endpoint of shuffled(endpoints, random)) {
    if (chosen.size >= LIMITS.topicRelays || !mayDial(endpoint, network)) continue;
    const neighbourhood = network.test ? `${endpoint.host} ${endpoint.port}` : subnetKey(endpoint.host);
    if (!chosen.has(neighbourhood) && deps.isAllowed(endpoint)) chosen.set(neighbourhood, endpoint);
  }
  const ask = async (endpoint: Endpoint): Promise<Hint[]> => {
    try {
      const channel = await dialer.dial({ nodeKey: undefined, endpoints: [endpoint] });
      const { peerKey } = channels.adopt(channel).channel;
      return peerKey === undefined ? [] : [{ relay: { nodeKey: peerKey, ...endpoint }, source: DHT_SOURCE }];
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      log("debug", "joining: what the DHT named is no relay of this network", { code: error.code });
      return [];
    }
  };
  return (await Promise.all([...chosen.values()].map(ask))).flat();
}
