import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import { ChannelPool } from "../../src/circuit/channel-pool.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import { askService, serveMessages } from "../../src/circuit/messages.ts";
import { createRelay } from "../../src/circuit/relay.ts";
import { SERVICE, type ServiceHandler } from "../../src/circuit/stream.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { createExtendResolver } from "../../src/directory/acceptable.ts";
import { bootstrap } from "../../src/directory/bootstrap.ts";
import { createClockCheck } from "../../src/directory/clock-check.ts";
import { createDirectoryClient, createRelayAsker } from "../../src/directory/directory-client.ts";
import { createDirectoryService, type QuestionService } from "../../src/directory/directory-service.ts";
import { createGossip, type Gossip } from "../../src/directory/gossip.ts";
import { pickGuards, pickPath } from "../../src/directory/path.ts";
import { askGates, askSample } from "../../src/directory/questions.ts";
import {
  createRelayInfoDecoder,
  decodeRelayInfo,
  hopTarget,
  signRelayInfo,
  type RelayInfo,
} from "../../src/directory/relay-info.ts";
import { createScoutService } from "../../src/directory/scout-service.ts";
import { StrangerDials } from "../../src/directory/stranger-dials.ts";
import { RelayTable } from "../../src/directory/table.ts";
import { createMemoryNetwork, type MemoryNetwork } from "../../src/net/memory-channel.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { localEndpoint, NOW_S, TEST_NETWORK } from "./fixtures.ts";

const clock = new ManualClock(NOW_S * 1000);
const random = systemRandom;
const network = TEST_NETWORK;
const TOPIC = Buffer.alloc(20, 4);
const join = (info: RelayInfo) => ({ nodeKey: info.nodeKey, ...(info.endpoints[0] ?? localEndpoint(0)) });

interface Villager {
  readonly info: RelayInfo;
  readonly table: RelayTable;
  readonly gossip: Gossip;
}

const answering =
  (service: QuestionService): ServiceHandler =>
  (stream, _args, circuit) =>
    serveMessages(stream, (question) => service.answer(question, circuit.id));

/** A whole relay over memory channels, as the node puts it together, with a DHT that names the relays at `gatePorts`. */
function startRelay(
  wires: MemoryNetwork,
  port: number,
  first: RelayInfo | undefined,
  gatePorts: number[],
): Villager {
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
  const seek = async () => {
    if (first === undefined) return;
    const options = { relays: [join(first)], acceptFewSources: false };
    await bootstrap(options, { ...shared, connect, clockCheck: createClockCheck(), log: silentLog });
  };
  const gossip = createGossip({ ...shared, log: silentLog, ownInfo: () => bytes, seek });
  return { info: decodeRelayInfo(bytes), table, gossip };
}

test("relays find each other through the first one, and a newcomer with one relay's address reaches a gate", async () => {
  const wires = createMemoryNetwork({ clock, random });
  const first = startRelay(wires, 9001, undefined, [9003]);
  const rest = [9002, 9003, 9004, 9005].map((port) => startRelay(wires, port, first.info, [9003, 9999]));
  const villagers = [first, ...rest];
  for (let round = 0; round < 3; round++) for (const { gossip } of villagers) await gossip.round();
  for (const { table } of villagers) assert.equal(table.size, 5);

  const decodeInfo = createRelayInfoDecoder();
  const channels = new ChannelPool({ dialer: wires.createDialer({ networkId: network.id }), clock });
  const table = new RelayTable({ network, clock, random });
  const joined = await bootstrap(
    { relays: [join(first.info)], acceptFewSources: false },
    {
      table,
      network,
      clock,
      random,
      decodeInfo,
      clockCheck: createClockCheck(),
      log: silentLog,
      connect: createDirectoryClient({ channels, clock, decodeInfo }),
    },
  );
  assert.deepEqual(joined, { sourceCount: 1, relayCount: 5 });

  // Three hops, extended by relays that check each info, to a scout that turns the DHT's addresses into relay infos.
  const guards = pickGuards(table.forPaths(), 3, network, random);
  const path = pickPath(
    table.forPaths(),
    { role: "lookup" },
    { profile: "standard", network, guards },
    random,
  );
  const circuit = await buildCircuit({ channels, clock }, path.map(hopTarget));
  const gates = await askGates(
    (question) => askService(circuit, SERVICE.scout, question, { clock }),
    TOPIC,
    decodeInfo,
  );
  assert.deepEqual(
    gates.map((info) => info.endpoints[0]?.port),
    [9003],
  );
  // The last hop is a directory, too, so a table can be filled without showing who asks.
  const sample = await askSample(
    (question) => askService(circuit, SERVICE.directory, question, { clock }),
    decodeInfo,
  );
  assert.equal(sample.length, 5);
  circuit.destroy();
  channels.close();
});
