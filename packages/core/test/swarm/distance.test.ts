import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteDuplex } from "../../src/base/duplex.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { newSeeder, newShare } from "../tunnel/fixtures.ts";
import { findAll, newTownIn, servicesOf } from "../tunnel/town.ts";
import { createFarWorld, FAR_LINE, inTime, pass } from "../support/far-world.ts";
import type { WorldRelay } from "../support/circuit-world.ts";
import { memberOf, samplePack, storeOf } from "./fixtures.ts";

const MIB = 1024 * 1024;

/** The seeder's guard and second hop are 1 and 2, the downloader's 3 and 4; relay 0 is the gate. */
const PATHS = [
  [1, 2, 0],
  [3, 4, 0],
];

/**
 * Would catch: any one of credits, windows, the gate's queue, the tunnel's, the requests under way or the answers that wait being too small for the
 * 13 MB that are under way, queues included.
 */
test("2 relays + gate + 2 over lines of 60 ms, a frame in a hundred late: a download fills 100 Mbit/s", async () => {
  const world = createFarWorld({ relayCount: 5 });
  const { clock } = world;
  const hopOf = (number: number) => (world.relays[number] as WorldRelay).target;
  const paths = [...PATHS];
  const town = newTownIn(clock, [hopOf(0)], {
    makeCircuit: () => buildCircuit(world.newClient(), (paths.shift() ?? []).map(hopOf)),
  });
  const [gate] = town.gates as [(typeof town.gates)[0]];
  Object.assign((world.relays[0] as WorldRelay).services, servicesOf(gate));
  const share = newShare();
  const { presence, tunnels } = town.seed(share, newSeeder(share.sharerKeys));
  await pass(clock, 30_000, () => gate.gate.registrations === 1);
  const [found] = await inTime(clock, findAll(town.finderFor(share), 1));

  const pack = samplePack(128 * MIB);
  const seeder = memberOf(await storeOf(pack), { clock });
  const leecher = memberOf(new MemoryStore(pack.info), { clock });
  seeder.swarm.addPeer(tunnels[0] as ByteDuplex, { initiator: false });
  leecher.swarm.addPeer(found?.tunnel as ByteDuplex, { initiator: true });
  await pass(clock, 11_000);
  const before = leecher.swarm.stats().downloadedBytes;
  await pass(clock, 4_000);
  const bytesPerMs = (leecher.swarm.stats().downloadedBytes - before) / 4_000;
  assert.ok(bytesPerMs > 0.93 * FAR_LINE.bytesPerMs, `${((bytesPerMs * 8) / 1_000).toFixed(1)} Mbit/s`);
  await inTime(clock, leecher.complete);
  for (const { swarm } of [seeder, leecher]) swarm.close();
  presence.close();
});
