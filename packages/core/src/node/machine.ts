import { systemClock, type Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { systemRandom, type Random } from "../base/random.ts";
import type { ChannelIdentity, Dialer, Endpoint } from "../net/channel.ts";
import { searchDht, type DhtSearch } from "../net/dht/search-dht.ts";
import { searchLan, type LanRelay } from "../net/lan/lan-search.ts";
import type { Proxy } from "../net/proxy.ts";
import { createProxyOpener } from "../net/proxy-socket.ts";
import { createTlsDialer } from "../net/tls-dialer.ts";

/** What a member needs of the computer that it runs on. Tests and the simulation bring memory carriers and a clock that they move themselves. */
export interface Machine {
  readonly clock: Clock;
  readonly random: Random;
  /** Dials as a relay where an identity is given, otherwise anonymously. */
  createDialer(options: { readonly networkId: number; readonly identity?: ChannelIdentity }): Dialer;
  /** Asks the local network for relays; absent where that would go past a proxy. Never rejects. */
  readonly searchLan?: (networkId: number) => Promise<LanRelay[]>;
  /** Asks the DHT, as a node of it for that long; absent likewise. Never rejects. */
  readonly searchDht?: (search: DhtSearch, log: Log) => Promise<Endpoint[]>;
}

/** The computer that this runs on. Where there is a proxy every connection goes through it, and none past it. */
export function machineBehind(proxy: Proxy | undefined): Machine {
  const common = { clock: systemClock, random: systemRandom };
  if (proxy === undefined) {
    return {
      ...common,
      createDialer: (options) => createTlsDialer({ ...options, ...common }),
      searchLan: (networkId) => searchLan(networkId, common),
      searchDht: (search, log) => searchDht(search, { clock: systemClock, log }),
    };
  }
  const openSocket = createProxyOpener(proxy, common);
  return { ...common, createDialer: (options) => createTlsDialer({ ...options, ...common, openSocket }) };
}

export const systemMachine: Machine = machineBehind(undefined);
