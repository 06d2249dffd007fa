import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../src/base/log.ts";
import { ChannelPool } from "../../src/circuit/channel-pool.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import { askService } from "../../src/circuit/messages.ts";
import { SERVICE } from "../../src/circuit/stream.ts";
import { bootstrap } from "../../src/directory/bootstrap.ts";
import { createClockCheck } from "../../src/directory/clock-check.ts";
import { createDirectoryClient } from "../../src/directory/directory-client.ts";
import { pickGuards, pickPath } from "../../src/directory/path.ts";
import { askGates, askSample } from "../../src/directory/questions.ts";
import { createRelayInfoDecoder, hopTarget } from "../../src/directory/relay-info.ts";
import { RelayTable } from "../../src/directory/table.ts";
import { createMemoryNetwork } from "../../src/net/memory-channel.ts";
import { clock, named, network, random, startVillager } from "./village.ts";

const TOPIC = Buffer.alloc(20, 4);

test("relays find each other through the first one, and a newcomer with one relay's address reaches a gate", async () => {
  const wires = createMemoryNetwork({ clock, random });
  const first = startVillager(wires, 9001, [], { gatePorts: [9003] });
  const rest = [9002, 9003, 9004, 9005].map((port) =>
    startVillager(wires, port, [named(first.info)], { gatePorts: [9003, 9999] }),
  );
  const villagers = [first, ...rest];
  for (let round = 0; round < 3; round++) for (const { gossip } of villagers) await gossip.round();
  for (const { table } of villagers) assert.equal(table.size, 5);

  const decodeInfo = createRelayInfoDecoder();
  const channels = new ChannelPool({ dialer: wires.createDialer({ networkId: network.id }), clock });
  const table = new RelayTable({ network, clock, random });
  const joined = await bootstrap(
    { relays: [named(first.info)], acceptFewSources: false },
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
