import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { samplePack, storeOf } from "../swarm/fixtures.ts";
import { withWorld } from "./member-world.ts";

const SEEDS = 6;
const DELAYS_MS = [1, 5, 20];

/**
 * Would catch: whatever takes a seeder or its downloader longer than moments to get over relays that hang up in quick succession: a lease that does not
 * count as the latest, a gate or seeder that is rested for what another relay did, a budget that is used up.
 */
test("a download goes on within seconds, however relays hang up one after the other", async (t) => {
  const pack = samplePack(2 * 1024 * 1024);
  for (let seed = 0; seed < SEEDS; seed++) {
    await withWorld(8, async (world, folder) => {
      world.wires.delayMs = DELAYS_MS[seed % DELAYS_MS.length] as number;
      const sharer = await world.newMember(`${folder}/sharer`, { seed: 2 * seed });
      const sharing = sharer.join(await storeOf(pack), true);
      await world.until(() => sharing.swarming.gateCount === 2, 60_000);
      const hungUp = world.hangUpOnce(4 + seed);
      const getter = await world.newMember(`${folder}/getter`, { seed: 2 * seed + 1 });
      const fetching = getter.join(new MemoryStore(pack.info));
      let failure: unknown;
      fetching.fetch().catch((error: unknown) => (failure = error));
      const { swarm } = fetching.swarming;
      const tookMs = await world.until(() => swarm.stats().complete || failure !== undefined, 300_000, 200);
      assert.ok(swarm.stats().complete, `${seed}: ${String(failure)} after ${hungUp()} relays hung up`);
      assert.ok(hungUp() >= 3, `${seed}: only ${hungUp()} relays hung up`);
      t.diagnostic(`${hungUp()} relays hung up; complete after ${(tookMs / 1000).toFixed(1)} s`);
      assert.ok(tookMs < 60_000, `${seed}: it took ${tookMs} ms`);
    });
  }
});
