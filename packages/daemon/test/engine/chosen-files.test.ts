import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import type { Input } from "@backroom/api/routes.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import { CONTEXT, newEngineWorld, type EngineWorld, type TestEngine } from "../support/engine-world.ts";

const KIB = 1024;
type Choices = Input<"chooseFiles">["choices"];
const NOTHING: Choices[number] = { path: "", priority: "skip" };
const only = (...paths: string[]): Choices => [
  NOTHING,
  ...paths.map((one) => ({ path: one, priority: "normal" as const })),
];

const ALL = ["album/a.bin", "album/b.bin", "album/raw/c.bin", "album/raw/d.bin"];

/** A share of a few files, each of several pieces, and its link. */
async function withAlbum(
  run: (world: EngineWorld, folder: string, sharer: TestEngine, link: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const world = newEngineWorld(folder);
    try {
      for (const name of ["a", "b", "raw/c", "raw/d"]) await world.makeFile(`album/${name}.bin`, 1024 * KIB);
      const sharer = await world.newEngine("sharer");
      const { link } = await sharer.share([path.join(folder, "album")]);
      await run(world, folder, sharer, link);
    } finally {
      await world.close();
    }
  });
}

async function files(engine: TestEngine): Promise<string[]> {
  const found = await readdir(engine.downloads, { recursive: true });
  return found.filter((name) => name.endsWith(".bin")).sort();
}

async function assertSame(folder: string, engine: TestEngine, names: readonly string[]): Promise<void> {
  assert.deepEqual(await files(engine), names);
  for (const name of names) {
    const [is, was] = await Promise.all([
      readFile(path.join(engine.downloads, name)),
      readFile(path.join(folder, name)),
    ]);
    assert.ok(is.equals(was), name);
  }
}

/** Would catch: a choice that fetches the rest all the same, a later one that fetches twice, touches or doubles what is there, or needs the pack. */
test("what is chosen comes and nothing else; what is chosen once that is over comes beside it", async () => {
  await withAlbum(async (world, folder, _sharer, link) => {
    const getter = await world.newEngine("getter");
    const { id } = await getter.get(link, { choices: only("album/a.bin") });
    const first = await getter.reach(id, "done");
    await assertSame(folder, getter, ["album/a.bin"]);
    assert.equal(first.skippedCount, 3);
    assert.deepEqual([first.chosenSize, first.size], [1024 * KIB, 4 * 1024 * KIB]);
    assert.equal(first.doneBytes, first.totalBytes);
    assert.ok(first.downloadedBytes < 2600 * KIB, `${first.downloadedBytes} bytes came`);
    const list = await getter.handlers.files({ id, limit: 10 }, CONTEXT);
    assert.deepEqual(
      list.files.map(({ priority, doneBytes }) => [priority, doneBytes]),
      [
        ["normal", 1024 * KIB],
        ["skip", 0],
        ["skip", 0],
        ["skip", 0],
      ],
      "what else there is can be chosen yet",
    );
    await assert.rejects(getter.handlers.chooseFiles({ id, choices: only("album/x") }, CONTEXT), {
      code: "E_NO_FILE",
    });
    const before = await stat(path.join(getter.downloads, "album/a.bin"));

    await getter.handlers.chooseFiles({ id, choices: [{ path: "album/raw", priority: "high" }] }, CONTEXT);
    const second = await getter.reach(id, "done");
    await assertSame(folder, getter, ["album/a.bin", "album/raw/c.bin", "album/raw/d.bin"]);
    const after = await stat(path.join(getter.downloads, "album/a.bin"));
    assert.deepEqual([after.ino, after.mtimeMs], [before.ino, before.mtimeMs]);
    assert.deepEqual([second.skippedCount, second.paths], [1, first.paths]);
    assert.equal(second.chosenSize, 3 * 1024 * KIB);
    assert.ok(second.downloadedBytes < 5 * 1024 * KIB, "what was there came once more");

    // Skipping what is there leaves it; asking for all brings what is missing.
    const skipped = await getter.handlers.chooseFiles({ id, choices: [NOTHING] }, CONTEXT);
    assert.equal(skipped.state, "done");
    await getter.get(link);
    const whole = await getter.reach(id, "done");
    await assertSame(folder, getter, ["album/a.bin", "album/b.bin", "album/raw/c.bin", "album/raw/d.bin"]);
    assert.equal(whole.skippedCount, 0);
    assert.equal(whole.chosenSize, whole.size);
  });
});

/** Would catch: a transfer of which nobody knows what it waits for, one that asks the network for nothing, and a choice that a restart forgets. */
test("where nothing is chosen it waits for that, shows which files there are, and goes on with what is chosen, also after a restart", async () => {
  await withAlbum(async (world, folder, _sharer, link) => {
    const getter = await world.newEngine("getter");
    const { id } = await getter.get(link, { choices: [NOTHING] });
    const waiting = await getter.reach(id, "choosing");
    assert.match(waiting.waits?.fix ?? "", /choose/);
    assert.deepEqual([waiting.skippedCount, waiting.fileCount], [4, 4]);
    const listing = await getter.handlers.files({ id, limit: 10 }, CONTEXT);
    assert.deepEqual(
      listing.files.map(({ path: name, priority, doneBytes }) => [name, priority, doneBytes]),
      ["a.bin", "b.bin", "raw/c.bin", "raw/d.bin"].map((name) => [`album/${name}`, "skip", 0]),
    );
    await getter.engine.close();
    const again = await world.newEngine("getter", { catalogue: getter.catalogue });
    await again.reach(id, "choosing");
    await assert.rejects(again.handlers.chooseFiles({ id, choices: only("album/x.bin") }, CONTEXT), {
      code: "E_NO_FILE",
    });
    await again.handlers.chooseFiles({ id, choices: only("album/b.bin") }, CONTEXT);
    await again.reach(id, "done");
    await assertSame(folder, again, ["album/b.bin"]);
  });
});

/** Would catch: files in whose way they are themselves, a part of which nothing but the list of files is handed out, and one that nobody knows the place of. */
test("what was fetched without its pack, as a whole or in part, is handed out once that is wished", async () => {
  await withAlbum(async (world, folder, sharer, link) => {
    for (const [name, choices] of [
      ["whole", undefined],
      ["part", only("album/a.bin")],
    ] as const) {
      const getter = await world.newEngine(name);
      const wishes = choices === undefined ? {} : { choices };
      const { id } = await getter.get(link, wishes);
      const { paths } = await getter.reach(id, "done");
      await getter.get(link, { ...wishes, seed: true });
      const seeding = await getter.until(id, ({ state, gateCount, failure }) => {
        assert.equal(failure, null);
        return state === "seeding" && gateCount > 0;
      });
      assert.deepEqual(seeding.paths, paths);
      await assertSame(folder, getter, choices === undefined ? ALL : ["album/a.bin"]);
      if (choices === undefined) await getter.engine.close();
    }
    await sharer.engine.close();
    const other = await world.newEngine("other");
    const { id } = await other.get(link, { choices: only("album/a.bin") });
    await other.reach(id, "done");
    await assertSame(folder, other, ["album/a.bin"]);
  });
});

/** Would catch: a locked share of which nothing more can be chosen, and a password that is kept for longer than anything needs it. */
test("more of a locked share is chosen by whoever gives its password again, which is not kept after that", async () => {
  await withFolder(async (folder) => {
    const world = newEngineWorld(folder);
    try {
      for (const name of ["a", "b"]) await world.makeFile(`album/${name}.bin`, 20 * KIB);
      const password = "four words that nobody guesses";
      const sharer = await world.newEngine("sharer");
      const { link } = await sharer.share([path.join(folder, "album")], { password });
      const getter = await world.newEngine("getter");
      const { id } = await getter.get(link, { password, choices: only("album/a.bin") });
      await getter.reach(id, "done");
      await assert.rejects(getter.handlers.chooseFiles({ id, choices: only("album/b.bin") }, CONTEXT), {
        code: "E_NO_KEY",
      });
      await getter.get(link, { password, choices: only("album/b.bin") });
      await getter.reach(id, "done");
      assert.deepEqual(getter.catalogue.get(id)?.keys, {});
      await assertSame(folder, getter, ["album/a.bin", "album/b.bin"]);
    } finally {
      await world.close();
    }
  });
});

/** Would catch: a list of files that goes with the pack where a choice was taken back before anything of it had come. */
test("a choice that is taken back while it is paused leaves what is there, and the list of files", async () => {
  await withAlbum(async (world, folder, _sharer, link) => {
    const getter = await world.newEngine("getter");
    const { id } = await getter.get(link, { choices: only("album/a.bin") });
    await getter.reach(id, "done");
    getter.limits.download.rate = 1;
    await getter.handlers.chooseFiles({ id, choices: only("album") }, CONTEXT);
    await getter.handlers.pause({ id }, CONTEXT);
    await getter.handlers.chooseFiles({ id, choices: only("album/a.bin") }, CONTEXT);
    await getter.handlers.resume({ id }, CONTEXT);
    const { skippedCount, doneBytes } = await getter.reach(id, "done");
    await assertSame(folder, getter, ["album/a.bin"]);
    assert.equal(skippedCount, 3);
    assert.equal((await getter.handlers.files({ id, limit: 10 }, CONTEXT)).files.length, 4);
    // Of what is over only the list of files is there to be checked.
    await getter.handlers.recheck({ id }, CONTEXT);
    await getter.until(id, ({ state }) => state === "done");
    assert.equal((await getter.handlers.getTransfer({ id }, CONTEXT)).doneBytes, doneBytes);
  });
});

/** Would catch: a change that begins the download anew, is not heeded before it ends, or leaves what was skipped meanwhile. */
test("what is wanted may change while it arrives, and outlasts a stop in the middle", async () => {
  await withAlbum(async (world, folder, _sharer, link) => {
    const getter = await world.newEngine("getter");
    getter.limits.download.rate = 500 * KIB;
    const { id } = await getter.get(link);
    await getter.until(id, ({ doneBytes }) => doneBytes > 200 * KIB);
    await getter.handlers.chooseFiles({ id, choices: only("album/raw/d.bin") }, CONTEXT);
    await getter.until(id, ({ totalBytes, skippedCount }) => totalBytes < 2600 * KIB && skippedCount === 3);
    await getter.engine.close();
    const again = await world.newEngine("getter", { catalogue: getter.catalogue });
    await again.reach(id, "done");
    await assertSame(folder, again, ["album/raw/d.bin"]);
  });
});

/** Would catch: a part that is not handed out, is completed from others by itself, or is not found again after a restart. */
test("two who have chosen different halves hand them out, and a third gets all of it from them", async () => {
  await withAlbum(async (world, folder, sharer, link) => {
    const halves = [
      only("album/a.bin", "album/b.bin"),
      [
        { path: "album/a.bin", priority: "skip" as const },
        { path: "album/b.bin", priority: "skip" as const },
      ],
    ];
    const seeders: TestEngine[] = [];
    const ids: string[] = [];
    for (const [at, choices] of halves.entries()) {
      const seeder = await world.newEngine(`seeder ${at}`);
      const { id } = await seeder.get(link, { seed: true, choices });
      await seeder.until(id, ({ state, gateCount }) => state === "seeding" && gateCount > 0);
      seeders.push(seeder);
      ids.push(id);
    }
    await sharer.engine.close();
    const [first, second] = seeders as [TestEngine, TestEngine];
    await first.engine.close();
    const again = await world.newEngine("seeder 0", { catalogue: first.catalogue });
    await again.until(ids[0] as string, ({ state, gateCount }) => state === "seeding" && gateCount > 0);
    const third = await world.newEngine("third");
    const { id } = await third.get(link, { choices: only("album") });
    await third.reach(id, "done");
    await assertSame(folder, third, ["album/a.bin", "album/b.bin", "album/raw/c.bin", "album/raw/d.bin"]);
    for (const [at, seeder] of [again, second].entries()) {
      const view = await seeder.handlers.getTransfer({ id: ids[at] as string }, CONTEXT);
      assert.deepEqual([view.state, view.skippedCount], ["seeding", 2]);
      assert.equal((await files(seeder)).length, 2);
    }
  });
});

/** Would catch: a path that is said without the share's own folder, before anybody knew that there is one, and fits nothing then. */
test("what is named without the one folder at the top is found, also once the list of files is here", async () => {
  await withAlbum(async (world, folder, _sharer, link) => {
    const getter = await world.newEngine("getter");
    const { id } = await getter.get(link, { choices: only("raw/c.bin", "not there") });
    const first = await getter.reach(id, "done");
    await assertSame(folder, getter, ["album/raw/c.bin"]);
    assert.equal(first.skippedCount, 3);
    const missed = (): number =>
      getter.notices().filter(({ text }) => /one path .* chosen/.test(text)).length;
    assert.equal(missed(), 1);
    await getter.get(link, { choices: only("b.bin") });
    await getter.reach(id, "done");
    assert.ok((await files(getter)).includes("album/b.bin"));
    assert.equal(missed(), 1, "what is not there is said once");
  });
});

/** Would catch: a second get that drops what the first one asked for, and a folder with nothing in it that is waited for as if nothing were chosen. */
test("whoever gets more of what arrives gets both, and a folder with nothing in it is made", async () => {
  await withFolder(async (folder) => {
    const world = newEngineWorld(folder);
    try {
      for (const name of ["a", "b", "c"]) await world.makeFile(`album/${name}.bin`, 300 * KIB);
      await mkdir(path.join(folder, "album/hollow"));
      const sharer = await world.newEngine("sharer");
      const { link } = await sharer.share([path.join(folder, "album")]);
      const getter = await world.newEngine("getter");
      const { id } = await getter.get(link, { choices: only("album/hollow") });
      await getter.reach(id, "done");
      assert.deepEqual(await readdir(path.join(getter.downloads, "album")), ["hollow"]);
      getter.limits.download.rate = 50 * KIB;
      await getter.get(link, { choices: [NOTHING, { path: "album/a.bin", priority: "high" }] });
      await getter.until(id, ({ state }) => state === "downloading");
      await getter.get(link, { choices: only("album/b.bin") });
      assert.deepEqual(getter.catalogue.selection(id)?.choices, [
        { path: "", priority: "skip" },
        { path: "album/a.bin", priority: "high" },
        { path: "album/b.bin", priority: "normal" },
        { path: "album/hollow", priority: "normal" },
      ]);
      getter.limits.download.rate = null;
      const { skippedCount } = await getter.reach(id, "done");
      await assertSame(folder, getter, ["album/a.bin", "album/b.bin"]);
      assert.equal(skippedCount, 1);
    } finally {
      await world.close();
    }
  });
});
