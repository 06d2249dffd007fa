import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import { ChannelPool } from "../../src/circuit/channel-pool.ts";
import { serveMessages } from "../../src/circuit/messages.ts";
import { createRelay } from "../../src/circuit/relay.ts";
import { SERVICE, type ServiceHandler } from "../../src/circuit/stream.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { createExtendResolver } from "../../src/directory/acceptable.ts";
import { createDirectoryClient, createRelayAsker } from "../../src/directory/directory-client.ts";
import { createDirectoryService, type QuestionService } from "../../src/directory/directory-service.ts";
import { createGossip, type Gossip } from "../../src/directory/gossip.ts";
import type { Network } from "../../src/directory/network.ts";
import { networkTopic } from "../../src/directory/network-topic.ts";
import {
  createRelayInfoDecoder,
  decodeRelayInfo,
  signRelayInfo,
  type RelayInfo,
} from "../../src/directory/relay-info.ts";
import { createScoutService } from "../../src/directory/scout-service.ts";
import { StrangerDials } from "../../src/directory/stranger-dials.ts";
import { RelayTable } from "../../src/directory/table.ts";
import type { JoinRelay } from "../../src/link/join-relay.ts";
import type { MemoryNetwork } from "../../src/net/memory-channel.ts";
import { MemoryDht } from "../../src/net/dht/memory-dht.ts";
import { createRelayJoining, type RelayJoining } from "../../src/node/relay-joining.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { localEndpoint, NOW_S, TEST_NETWORK } from "./fixtures.ts";

export const clock = new ManualClock(NOW_S * 1000);
export const random = systemRandom;
export const network: Network = { ...TEST_NETWORK, name: "village", relays: [], bootstrap: [] };

export interface Villager {
  readonly info: RelayInfo;
  readonly table: RelayTable;
  readonly gossip: Gossip;
  readonly joining: RelayJoining;
  /** As after a restart, with an invite that names these relays. */
  restart(invited: readonly JoinRelay[]): Gossip;
}

/** The relay as links and invites name it. */
export function named(info: RelayInfo): JoinRelay {
  return { nodeKey: info.nodeKey, ...(info.endpoints[0] ?? localEndpoint(0)) };
}

const answering =
  (service: QuestionService): ServiceHandler =>
  (stream, _args, circuit) =>
    serveMessages(stream, (question) => service.answer(question, circuit.id));

/** A whole relay over memory channels, as the node puts it together, with a DHT that names the relays at `gatePorts`. */
export function startVillager(
  wires: MemoryNetwork,
  port: number,
  invited: readonly JoinRelay[],
  { gatePorts = [], dht = new MemoryDht() }: { gatePorts?: readonly number[]; dht?: MemoryDht } = {},
): Villager {
  const dhtNode = dht.join("127.0.0.1", port);
  dhtNode.announce(networkTopic(network.id));
  const nodeKeys = generateKeys("ed25519");
  const onion = generateKeys("x25519");
  const decodeInfo = createRelayInfoDecoder();
  const endpoint = localEndpoint(port);
  const bytes = signRelayInfo(
    {
      networkId: network.id,
      onionKey: onion.publicBytes,
      endpoints: [endpoint],
      bandwidthKiB: 100,
      gate: true,
      scout: true,
      timeS: NOW_S,
    },
    nodeKeys,
  );
  const identity = { nodeKeys, info: () => bytes };
  const dialer = wires.createDialer({ networkId: network.id, identity });
  // Anonymous, as a client's: a neighbour opens circuits back over a channel that proved a relay, and here nobody would answer.
  const asking = wires.createDialer({ networkId: network.id });
  const channels = new ChannelPool({ dialer: asking, clock });
  const table = new RelayTable({ network, clock, random });
  const shared = {
    table,
    network,
    clock,
    random,
    decodeInfo,
    askRelay: createRelayAsker({ channels, clock }),
  };
  const probe = (info: RelayInfo) =>
    asking.dial(info).then(
      (channel) => (channel.close(), true),
      () => false,
    );
  const lookup = () => Promise.resolve(gatePorts.map(localEndpoint));
  const relay = createRelay({
    nodeKey: nodeKeys.publicBytes,
    onionKeys: () => [onion],
    dialer,
    clock,
    resolveExtend: createExtendResolver({
      ...shared,
      isKnown: (info) => table.has(info),
      dials: new StrangerDials(shared),
    }),
    isRelay: (key) => table.get(key.toString("hex")) !== undefined,
    services: {
      [SERVICE.directory]: answering(createDirectoryService({ ...shared, probe })),
      [SERVICE.scout]: answering(createScoutService({ ...shared, lookup })),
    },
  });
  wires.listen({ networkId: network.id, identity, endpoint }, (channel) => relay.accept(channel));
  const connect = createDirectoryClient({ channels, clock, decodeInfo });
  const machine = { clock, random, createDialer: () => asking };
  const start = (relays: readonly JoinRelay[]): Pick<Villager, "gossip" | "joining"> => {
    const joining = createRelayJoining({
      network: { ...network, relays },
      table,
      machine,
      nodeKey: nodeKeys.publicBytes,
      port,
      connect,
      dialer: asking,
      channels,
      isAllowed: () => true,
      lookup: () => dhtNode.lookup(networkTopic(network.id)),
      decodeInfo,
      log: silentLog,
      cached: [],
      lan: false,
    });
    const seek = (): Promise<void> => joining.seek();
    return { gossip: createGossip({ ...shared, log: silentLog, ownInfo: () => bytes, seek }), joining };
  };
  return {
    info: decodeRelayInfo(bytes),
    table,
    ...start(invited),
    restart: (relays) => start(relays).gossip,
  };
}
