import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "@backroom/core/base/log.ts";
import { RateLimit } from "@backroom/core/base/rate-limit.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import type { DaemonContext } from "../../src/context.ts";
import { createNetwork } from "../../src/network/network.ts";
import { CONTEXT, newEngineWorld, type EngineWorld, type TestEngine } from "../support/engine-world.ts";

const MIB = 1024 * 1024;

async function withWorld(run: (world: EngineWorld) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const world = newEngineWorld(folder);
    try {
      await run(world);
    } finally {
      await world.close();
    }
  });
}

function contextOf({ data, catalogue, settings, events }: TestEngine, world: EngineWorld): DaemonContext {
  const publish: DaemonContext["events"]["publish"] = (event) => void events.push(event);
  return {
    folder: data,
    catalogue,
    settings,
    machine: world.machine,
    events: { publish, isFollowed: true },
    log: silentLog,
  };
}

/** Would catch: a picture without a seeder's circuits, or one that shows whom they lead through; guards that are forgotten when the network is left. */
test("the network in use shows a seeder's circuits to its gates, and neither keys nor addresses", async () => {
  await withWorld(async (world) => {
    const sharer = await world.newEngine("sharer");
    const limits = { relay: new RateLimit(world.machine.clock), onRelayRate: () => {} };
    const part = await createNetwork(contextOf(sharer, world), { members: sharer.engine.members, limits });
    assert.equal((await part.handlers.network({}, CONTEXT)).state, "idle");
    await sharer.share([await world.makeFile("a", 1000)]);
    const status = await part.handlers.network({}, CONTEXT);
    assert.equal(status.state, "joined");
    assert.ok(status.guardCount > 0);
    const [circuit] = status.circuits.filter(({ purpose }) => purpose === "seeder");
    assert.deepEqual(
      circuit?.hops.map(({ role }) => role),
      ["guard", "middle", "gate"],
    );
    const text = JSON.stringify(status.circuits);
    for (const { info } of world.relays) {
      assert.ok(!text.includes(info.key.slice(0, 8)), "a relay's key is in the picture");
      for (const { host } of info.endpoints) assert.ok(!text.includes(host), "an address is in the picture");
    }
    assert.ok(sharer.events.some(({ name }) => name === "network"));
    await sharer.engine.close();
    const left = await part.handlers.network({}, CONTEXT);
    assert.deepEqual([left.state, left.guardCount, left.circuitCount], ["idle", status.guardCount, 0]);
    await part.close();
  });
});

/** Would catch: limits that no transfer of the daemon is given. How long it takes at least is certain; how long at most is not. */
test("a limit that is set holds for a download of the daemon, and is gone when it is taken away", async () => {
  await withWorld(async (world) => {
    const sharer = await world.newEngine("sharer");
    const { link } = await sharer.share([await world.makeFile("a", 6 * MIB)]);
    const getter = await world.newEngine("getter");
    getter.engine.limits.download.rate = MIB;
    const { id } = await getter.get(link);
    await getter.until(id, ({ doneBytes }) => doneBytes > 0);
    const startedMs = performance.now();
    const before = (await getter.handlers.getTransfer({ id }, CONTEXT)).downloadedBytes;
    const later = await getter.until(id, ({ downloadedBytes }) => downloadedBytes >= before + 2 * MIB);
    const tookMs = performance.now() - startedMs;
    const mostBytes = (tookMs / 1000) * MIB + MIB;
    assert.ok(
      later.downloadedBytes - before <= mostBytes,
      `${later.downloadedBytes - before} bytes in ${tookMs} ms`,
    );
    getter.engine.limits.download.rate = null;
    await getter.reach(id, "done");
  });
});
