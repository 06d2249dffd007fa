import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../src/base/log.ts";
import { ChannelPool } from "../../src/circuit/channel-pool.ts";
import { createClockCheck } from "../../src/directory/clock-check.ts";
import { createRelayInfoDecoder } from "../../src/directory/relay-info.ts";
import { RelayTable } from "../../src/directory/table.ts";
import type { JoinRelay } from "../../src/link/join-relay.ts";
import { createMemoryNetwork, type MemoryNetwork } from "../../src/net/memory-channel.ts";
import { MemoryDht } from "../../src/net/dht/memory-dht.ts";
import { joinNetworkThrough } from "../../src/node/joining.ts";
import { clock, named, network, random, startVillager, type Villager } from "./village.ts";

const HALF = 4;
/** Each relay asks three others a round: what one half knows is everywhere after a few. */
const MOST_ROUNDS = 8;

/** One half of a network, whose relays know each other and nobody else. */
async function half(wires: MemoryNetwork, firstPort: number, dht: MemoryDht): Promise<Villager[]> {
  const first = startVillager(wires, firstPort, [], { dht });
  const rest = Array.from({ length: HALF - 1 }, (_, n) =>
    startVillager(wires, firstPort + n + 1, [named(first.info)], { dht }),
  );
  const villagers = [first, ...rest];
  for (let round = 0; round < 4; round++) for (const { gossip } of villagers) await gossip.round();
  for (const { table } of villagers) assert.equal(table.size, HALF);
  return villagers;
}

async function halves() {
  const wires = createMemoryNetwork({ clock, random });
  const dht = new MemoryDht();
  const [a, b] = [await half(wires, 9001, dht), await half(wires, 9101, dht)];
  return { wires, a, b, all: [...a, ...b] };
}

/** Rounds of everybody until all know as many, or too many rounds. */
async function roundsUntil(size: number, villagers: readonly Villager[]): Promise<number> {
  let rounds = 0;
  while (!villagers.every(({ table }) => table.size === size)) {
    const sizes = villagers.map(({ table }) => table.size).join(" ");
    assert.ok(rounds < MOST_ROUNDS, `after ${rounds} rounds they know ${sizes} of ${size}`);
    for (const { gossip } of villagers) await gossip.round();
    rounds++;
  }
  return rounds;
}

const firstOf = (villagers: readonly Villager[]): JoinRelay => named((villagers[0] as Villager).info);

test("two halves of a network become one when a new relay is invited to both", async () => {
  const { wires, a, b, all } = await halves();
  const both = startVillager(wires, 9201, [firstOf(a), firstOf(b)]);
  assert.ok((await roundsUntil(2 * HALF + 1, [...all, both])) > 0);
});

test("they do when a relay of one half is invited to the other, however many it knows already", async () => {
  // Would catch a relay that looks at invites only while it knows nobody.
  const { a, b, all } = await halves();
  await (a[2] as Villager).restart([firstOf(a), firstOf(b)]).round();
  await roundsUntil(2 * HALF, all);
});

/** Has a member that is no relay join through these relays; its table. */
async function joinAsMember(
  wires: MemoryNetwork,
  relays: readonly JoinRelay[],
  guards: readonly JoinRelay[] = [],
) {
  const dialer = wires.createDialer({ networkId: network.id });
  const channels = new ChannelPool({ dialer, clock });
  const table = new RelayTable({ network, clock, random });
  const machine = { clock, random, createDialer: () => dialer };
  const decodeInfo = createRelayInfoDecoder();
  const known = { network: { ...network, relays }, guards, cached: [], isInviteNew: false, joinRelays: [] };
  const clockCheck = createClockCheck();
  await joinNetworkThrough(
    { ...known, table, machine, channels, decodeInfo, log: silentLog, clockCheck, finders: [] },
    { confirm: () => Promise.resolve(false) },
  );
  channels.close();
  return table;
}

test("they do when a member that is no relay joins both, and nobody hears of the member", async () => {
  const { wires, a, b, all } = await halves();
  const table = await joinAsMember(wires, [firstOf(a), firstOf(b)]);
  assert.equal(table.size, 2 * HALF);
  await roundsUntil(2 * HALF, all);
});

test("they do when the relays of both announce themselves in the DHT, and nobody was invited anywhere", async () => {
  const { a, all } = await halves();
  for (const { joining } of a) await joining.lookInDht();
  await roundsUntil(2 * HALF, all);
  // All are known now: nobody is asked again.
  const before = (a[0] as Villager).table.entries().map(({ sources }) => sources.length);
  await (a[0] as Villager).joining.lookInDht();
  assert.deepEqual(
    (a[0] as Villager).table.entries().map(({ sources }) => sources.length),
    before,
  );
});

test("guards are not told of each other", async () => {
  // Would catch a guard that says it knows nobody, and hears which other guards its member has.
  const { wires, a, b } = await halves();
  const guards = [firstOf(a), firstOf(b), named((b[1] as Villager).info)];
  const table = await joinAsMember(wires, [], guards);
  assert.equal(table.size, 2 * HALF);
  for (const { table } of [...a, ...b]) assert.equal(table.size, HALF);
});
