import assert from "node:assert/strict";
import { test } from "node:test";
import { samplePack, storeOf } from "../swarm/fixtures.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { withWorld } from "./member-world.ts";

const MINUTE_MS = 60_000;

/** Would catch: whoever waits for days and builds circuits all the time, or asks so seldom that a sharer who takes turns is missed. */
test("who is patient waits for a sharer without giving up, asks ever less often, and is there when one comes", async () => {
  await withWorld(8, async (world, folder) => {
    const pack = samplePack(200_000);
    const getter = await world.newMember(`${folder}/getter`, { seed: 1 });
    const waiting = getter.join(new MemoryStore(pack.info));
    const alone: boolean[] = [];
    let isComplete = false;
    void waiting.complete.then(() => (isComplete = true));
    let failure: unknown;
    waiting
      .fetch({ isPatient: true, onAlone: (_, isLate) => void alone.push(isLate) })
      .catch((error) => (failure = error));
    await world.pass(12 * MINUTE_MS, 10_000);
    assert.equal(failure, undefined);
    assert.deepEqual([alone[0], alone.at(-1)], [false, true]);
    const lookUps = (): number => getter.built.filter(({ role }) => role === "lookup").length;
    const before = lookUps();
    await world.pass(15 * MINUTE_MS, 10_000);
    const inQuarter = lookUps() - before;
    assert.ok(inQuarter > 0 && inQuarter <= 3 * 4, `${inQuarter} look-ups in a quarter of an hour`);

    const sharer = await world.newMember(`${folder}/sharer`, { seed: 2 });
    sharer.join(await storeOf(pack), true);
    const tookMs = await world.until(() => isComplete, 10 * MINUTE_MS, 5_000);
    assert.ok(isComplete, "it was not found");
    assert.ok(tookMs < 7 * MINUTE_MS, `found after ${tookMs} ms`);
  });
});

test("who is not patient is told that nobody has it", async () => {
  await withWorld(8, async (world, folder) => {
    const getter = await world.newMember(`${folder}/getter`, { seed: 3 });
    const fetching = getter.join(new MemoryStore(samplePack(200_000).info)).fetch();
    let code: unknown;
    fetching.catch((error: { code?: string }) => (code = error.code));
    await world.pass(3 * MINUTE_MS, 2_000);
    assert.equal(code, "E_NO_SEEDERS");
  });
});
