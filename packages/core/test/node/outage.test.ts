import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { samplePack, storeOf } from "../swarm/fixtures.ts";
import { withWorld, type MemberWorld } from "./member-world.ts";

const MINUTE_MS = 60_000;

/** Nobody reaches anybody for that long. */
async function outage(world: MemberWorld, ms: number): Promise<void> {
  for (const relay of world.relays) relay.kill();
  await world.pass(ms, 5_000);
  for (const relay of world.relays) relay.start();
}

/** A download that has begun, and what it fails by; between its sharer's being at two gates and its start `restMs` pass. */
async function startDownload(world: MemberWorld, folder: string, restMs = 0) {
  const pack = samplePack(2 * 1024 * 1024);
  world.wires.delayMs = 40;
  const sharer = await world.newMember(`${folder}/sharer`, { seed: 2 });
  const sharing = sharer.join(await storeOf(pack), true);
  await world.until(() => sharing.swarming.gateCount === 2, MINUTE_MS);
  await world.pass(restMs, 5_000);
  const getter = await world.newMember(`${folder}/getter`, { seed: 3 });
  const fetching = getter.join(new MemoryStore(pack.info));
  let failure: unknown;
  fetching.fetch().catch((error: unknown) => (failure = error));
  const { swarm } = fetching.swarming;
  await world.until(() => swarm.stats().haveCount > 2, MINUTE_MS);
  const isOver = (): boolean => swarm.stats().complete || failure !== undefined;
  return { pack, sharer, sharing, swarm, isOver, failure: () => failure };
}

/** Would catch: a seeder that goes on waiting, for as long as it was offline, once it is online again. */
test("a seeder whose network was away for minutes is at its gates again within seconds", async () => {
  await withWorld(8, async (world, folder) => {
    const sharer = await world.newMember(`${folder}/sharer`, { seed: 1 });
    const { swarming } = sharer.join(await storeOf(samplePack(100_000)), true);
    await world.until(() => swarming.gateCount === 2, MINUTE_MS);
    await world.pass(5 * MINUTE_MS, 5_000);
    const before = sharer.built.length;
    await outage(world, 10 * MINUTE_MS);
    assert.equal(swarming.gateCount, 0);
    const tookMs = await world.until(() => swarming.gateCount === 2, 30 * MINUTE_MS, 500);
    assert.ok(tookMs <= 20_000, `it took ${tookMs} ms`);
    assert.ok(sharer.built.length - before <= 6, "circuits were built without need");
  });
});

/** Would catch: an outage that uses up what may be built to a gate, or ends a download that the next minute would have completed. */
test("a download goes on within seconds after the network was away for minutes", async () => {
  await withWorld(8, async (world, folder) => {
    const { swarm, isOver, failure } = await startDownload(world, folder, 5 * MINUTE_MS);
    assert.ok(!swarm.stats().complete, "it was over before");
    await outage(world, 3 * MINUTE_MS);
    const tookMs = await world.until(isOver, 30 * MINUTE_MS, 500);
    assert.equal(failure(), undefined);
    assert.ok(tookMs <= 60_000, `it took ${tookMs} ms`);
  });
});

/** Would catch: questions for a sharer that is away which use up the circuits that it takes to reach it, or a wait that does not end when it is back. */
test("a download goes on within seconds after its sharer was away for minutes", async () => {
  await withWorld(8, async (world, folder) => {
    const { pack, sharer, sharing, swarm, isOver, failure } = await startDownload(world, folder);
    sharing.swarming.close();
    await sharer.close();
    await world.pass(4 * MINUTE_MS, 5_000);
    assert.ok(!swarm.stats().complete, "it was over before");
    const again = await world.newMember(`${folder}/again`, { seed: 4 });
    const { swarming } = again.join(await storeOf(pack), true);
    await world.until(() => swarming.gateCount === 2, MINUTE_MS);
    const tookMs = await world.until(isOver, 10 * MINUTE_MS);
    assert.equal(failure(), undefined);
    assert.ok(tookMs <= 20_000, `it took ${tookMs} ms`);
  });
});
