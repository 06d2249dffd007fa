import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { withFolder } from "../../../core/test/store/temporary.ts";
import { newEngineWorld, type EngineWorld } from "../support/engine-world.ts";

const KIB = 1024;

async function withWorld(run: (world: EngineWorld, folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const world = newEngineWorld(folder);
    try {
      await run(world, folder);
    } finally {
      await world.close();
    }
  });
}

test("what one daemon shares arrives at another one, and both say so", async () => {
  await withWorld(async (world) => {
    const file = await world.makeFile("picture.bin", 700 * KIB);
    const sharer = await world.newEngine("sharer");
    const { id, link } = await sharer.share([file]);
    const shared = await sharer.reach(id, "seeding");
    assert.deepEqual(
      [shared.name, shared.fileCount, shared.size, shared.kind, shared.failure, shared.waits],
      ["picture.bin", 1, 700 * KIB, "read", null, null],
    );
    const getter = await world.newEngine("getter");
    const got = await getter.get(link);
    const done = await getter.reach(got.id, "done");
    const target = path.join(getter.downloads, "picture.bin");
    assert.deepEqual(
      [done.paths, done.finishedMs !== null, done.doneBytes],
      [[target], true, done.totalBytes],
    );
    assert.ok(done.downloadedBytes >= 700 * KIB);
    assert.ok((await readFile(target)).equals(await readFile(file)));
    await sharer.until(id, ({ uploadedBytes }) => uploadedBytes >= 700 * KIB);
    assert.ok(getter.events.some(({ name }) => name === "transfers"));
  });
});
