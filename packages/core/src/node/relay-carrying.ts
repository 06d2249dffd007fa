import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { RateLimit } from "../base/rate-limit.ts";
import { ChannelPool } from "../circuit/channel-pool.ts";
import { createRelay, type Relay } from "../circuit/relay.ts";
import { createExtendResolver } from "../directory/acceptable.ts";
import { createRelayAsker } from "../directory/directory-client.ts";
import type { Network } from "../directory/network.ts";
import type { AskRelay } from "../directory/questions.ts";
import type { RelayInfoDecoder } from "../directory/relay-info.ts";
import { StrangerDials } from "../directory/stranger-dials.ts";
import type { RelayTable } from "../directory/table.ts";
import type { Dialer } from "../net/channel.ts";
import { createTlsDialer } from "../net/tls-dialer.ts";
import { listenTls } from "../net/tls-listener.ts";
import { Hosting } from "./hosting.ts";
import { watchLoopLag } from "./loop-lag.ts";
import type { OwnInfo } from "./own-info.ts";
import type { RelayServices } from "./relay-services.ts";

/** A test network's members all live at a few addresses. */
const TEST_CHANNELS_PER_ADDRESS = 4096;

export interface CarryingOptions {
  readonly network: Network;
  readonly own: OwnInfo;
  readonly table: RelayTable;
  readonly decodeInfo: RelayInfoDecoder;
  /** TCP; 0 takes a free one. */
  readonly port: number;
  readonly limit: RateLimit | undefined;
  readonly log: Log;
}

/** What carries others' circuits: a listener, the relay behind it, and the guests whose channels it keeps. */
export interface Carrying {
  /** Where it listens. */
  readonly port: number;
  readonly relay: Relay;
  readonly hosting: Hosting;
  /** What it offers at the end of circuits; nothing at first. */
  readonly handlers: RelayServices["handlers"];
  /** What it may dial on strangers' words. */
  readonly dials: StrangerDials;
  /** For questions of its own, over channels on which it is nobody. */
  readonly dialer: Dialer;
  readonly channels: ChannelPool;
  readonly askRelay: AskRelay;
  close(): Promise<void>;
}

/** Listens, and carries from then on. Raises E_PORT_IN_USE and E_LISTEN, and then leaves nothing behind. */
export async function startCarrying(options: CarryingOptions): Promise<Carrying> {
  const { network, own, table, decodeInfo, limit, log } = options;
  const common = { clock: systemClock, random: systemRandom };
  const identity = { nodeKeys: own.nodeKeys, info: () => own.bytes() ?? Buffer.alloc(0) };
  const nodeKey = own.nodeKeys.publicBytes;
  const handlers: RelayServices["handlers"] = {};
  const lag = watchLoopLag(systemClock);
  const dials = new StrangerDials({ clock: systemClock, network });
  const relay = createRelay({
    nodeKey,
    onionKeys: () => own.onionKeys(),
    dialer: createTlsDialer({ networkId: network.id, identity, ...common }),
    clock: systemClock,
    services: handlers,
    log,
    isRelay: (key) => table.get(key.toString("hex")) !== undefined,
    lagMs: () => lag.lagMs(),
    ...(limit === undefined ? {} : { limit }),
    resolveExtend: createExtendResolver({
      network,
      clock: systemClock,
      decodeInfo,
      isKnown: (info) => table.has(info),
      dials,
    }),
  });
  // Anonymous: a neighbour that knows a channel for a relay's opens circuits back over it, and on these nobody would answer.
  const dialer = createTlsDialer({ networkId: network.id, ...common });
  const channels = new ChannelPool({ dialer, clock: systemClock, log });
  const closeRelay = (): void => {
    lag.stop();
    relay.close();
    channels.close();
  };
  const listener = await listenTls(
    {
      identity,
      port: options.port,
      networkId: network.id,
      ...(network.test ? { channelsPerAddress: TEST_CHANNELS_PER_ADDRESS } : {}),
      log,
      ...common,
    },
    (channel) => relay.accept(channel),
  ).catch((error: unknown) => {
    // A daemon tries again and again where the port is taken.
    closeRelay();
    throw error;
  });
  return {
    port: listener.port,
    relay,
    hosting: new Hosting({ relay, nodeKey, network }),
    handlers,
    dials,
    dialer,
    channels,
    askRelay: createRelayAsker({ channels, clock: systemClock }),
    async close() {
      closeRelay();
      await listener.close();
    },
  };
}
