import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { LOCKED_LINK, READ_LINK } from "../../../core/test/link/examples.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { choosingHandlers } from "../../src/engine/choosing.ts";
import type { ShareFiles } from "../../src/engine/share-content.ts";
import type { Transfers } from "../../src/engine/transfers.ts";
import { CONTEXT, newEngineWorld } from "../support/engine-world.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";
import { transferOf } from "../support/transfer-record.ts";

const KIB = 1024;
const NOTHING = { path: "", priority: "skip" as const };

/** Transfers of which nothing is at work, and which of them went on. */
function transfersOf(catalogue: Catalogue, id: string) {
  const wentOn: string[] = [];
  const transfers = {
    context: { catalogue },
    change: (_: string, work: () => Promise<unknown>) => work(),
    record: () => catalogue.get(id),
    halt: async () => {},
    goOn: () => void wentOn.push(id),
    chosen() {},
    publish() {},
    view() {},
  } as unknown as Transfers;
  return { transfers, wentOn };
}

/** What reads the list of files, which holds these, and does something else `meanwhile`. */
function filesOf(paths: readonly string[], meanwhile = (): void => {}): ShareFiles {
  async function* entries() {
    for (const one of paths) yield { path: one, kind: one.endsWith("/") ? "directory" : "file", size: 5 };
  }
  return {
    async withIndex(_: unknown, use: (all: AsyncIterable<unknown>) => Promise<unknown>) {
      meanwhile();
      return use(entries());
    },
  } as unknown as ShareFiles;
}

/** Would catch: a choice that replaces the one before it, one that a restart forgets, and a slip of the pen that is taken for a choice. */
test("choices add to each other, are shown for every file, are counted, and outlast the daemon", async () => {
  await withFolder(async (folder) => {
    const world = newEngineWorld(folder);
    try {
      for (const name of ["a", "b", "c"]) await world.makeFile(`album/${name}.bin`, 20 * KIB);
      await world.makeFile("album/raw/d.bin", 5 * KIB);
      const sharer = await world.newEngine("sharer");
      const { id: shareId, link, lockedLink } = await sharer.share([path.join(folder, "album")]);
      const getter = await world.newEngine("getter");
      const { id } = await getter.get(link, { seed: true });
      await getter.reach(id, "seeding");
      await getter.handlers.chooseFiles(
        {
          id,
          choices: [
            { path: "album/raw", priority: "skip" },
            { path: "album/a.bin", priority: "high" },
          ],
        },
        CONTEXT,
      );
      const choices = [{ path: "album/b.bin", priority: "low" as const }];
      const view = await getter.handlers.chooseFiles({ id, choices }, CONTEXT);
      assert.equal(view.skippedCount, 1);
      assert.ok(view.chosenSize !== null && view.chosenSize < (view.size ?? 0));
      const priorities = async (engine: typeof getter) =>
        (await engine.handlers.files({ id, limit: 10 }, CONTEXT)).files.map(({ priority }) => priority);
      assert.deepEqual(await priorities(getter), ["high", "low", "normal", "skip"]);
      await assert.rejects(
        getter.handlers.chooseFiles({ id, choices: [{ path: "album/x.bin", priority: "low" }] }, CONTEXT),
        { code: "E_NO_FILE" },
      );
      await getter.engine.close();
      const again = await world.newEngine("getter", { catalogue: getter.catalogue });
      assert.deepEqual(await priorities(again), ["high", "low", "normal", "skip"]);
      assert.equal(again.catalogue.get(id)?.skippedCount, 1);

      const everything = { choices: [{ path: "", priority: "low" as const }] };
      await assert.rejects(sharer.handlers.chooseFiles({ id: shareId, ...everything }, CONTEXT), {
        code: "E_SELECTION",
      });
      await assert.rejects(sharer.get(link, { choices: [{ path: "album/raw", priority: "skip" }] }), {
        code: "E_SELECTION",
      });
      const mirror = await world.newEngine("mirror");
      await assert.rejects(mirror.get(lockedLink, { mirror: true, ...everything }), { code: "E_SELECTION" });
      await assert.rejects(mirror.get(lockedLink, everything), { code: "E_NO_KEY" });
    } finally {
      await world.close();
    }
  });
});

/** Would catch: a transfer that waits for a choice which was made while it looked whether there is one. */
test("a choice that is made while the list of files is read is not missed", { timeout: 60_000 }, async () => {
  await withFolder(async (folder) => {
    const world = newEngineWorld(folder);
    try {
      for (const name of ["a", "b"]) await world.makeFile(`album/${name}.bin`, 20 * KIB);
      const sharer = await world.newEngine("sharer");
      const { link } = await sharer.share([path.join(folder, "album")]);
      const getter = await world.newEngine("getter");
      const { id } = await getter.get(link, { choices: [{ path: "", priority: "skip" }] });
      await getter.reach(id, "choosing");
      await getter.engine.close();
      const { catalogue } = getter;
      const selection = catalogue.selection.bind(catalogue);
      let isMade = false;
      catalogue.selection = (of) => {
        const before = selection(of);
        // Right after whoever runs the transfer has looked.
        if (!isMade && before !== undefined) {
          isMade = true;
          queueMicrotask(() => catalogue.putSelection(id, { ...before, choices: [] }));
        }
        return before;
      };
      const again = await world.newEngine("getter", { catalogue });
      await again.reach(id, "done");
      assert.ok(isMade);
    } finally {
      await world.close();
    }
  });
});

/** Would catch: a download that fails at its end, and whenever it is resumed, since what it opened is more than is kept. */
test("more files one by one than are kept beside those that are there are refused while they are chosen", async () => {
  const catalogue = memoryCatalogue();
  const record = transferOf(1, { role: "get", link: READ_LINK, finishedMs: 5 });
  const { id } = record;
  const some = (name: string) => [
    { path: "", priority: "skip" as const },
    ...Array.from({ length: 0.6 * LIMITS.selectionChoices }, (_, number) => ({
      path: `${name}/${number}`,
      priority: "normal" as const,
    })),
  ];
  catalogue.put(record);
  const before = { choices: some("a"), opened: some("a"), held: null };
  catalogue.putSelection(id, before);
  const { transfers } = transfersOf(catalogue, id);
  const names = ["a", "b"].flatMap((name) =>
    some(name)
      .slice(1)
      .map((choice) => choice.path),
  );
  const files = filesOf(["a/", "b/", ...names]);
  const { chooseFiles } = choosingHandlers(transfers, files);
  await assert.rejects(chooseFiles({ id, choices: some("b") }, CONTEXT), { code: "E_SELECTION" });
  assert.deepEqual(catalogue.selection(id), before);
  await chooseFiles({ id, choices: [{ path: "b", priority: "normal" }] }, CONTEXT);
  assert.equal(catalogue.get(id)?.finishedMs, null);
});

/** Would catch: files that nobody ever fetches, since what the download had opened by then was forgotten. */
test("a download that comes to its end while the index is read goes on with what is chosen then", async () => {
  const catalogue = memoryCatalogue();
  const record = transferOf(1, {
    role: "get",
    seed: false,
    link: LOCKED_LINK,
    keys: { password: "pass word" },
  });
  const { id } = record;
  const choices = [
    { path: "", priority: "skip" as const },
    { path: "a", priority: "normal" as const },
  ];
  catalogue.put(record);
  catalogue.putSelection(id, { choices, opened: null, held: null });
  const { transfers, wentOn } = transfersOf(catalogue, id);
  const files = filesOf(["a", "b", "c"], () => {
    catalogue.put({ ...record, state: "done", finishedMs: 5, keys: {} });
    catalogue.putSelection(id, { choices, opened: choices, held: null });
  });
  const { chooseFiles } = choosingHandlers(transfers, files);
  await chooseFiles({ id, choices: [{ path: "b", priority: "normal" }] }, CONTEXT);
  assert.deepEqual(catalogue.selection(id)?.opened, choices);
  const { state, finishedMs, skippedCount, chosenSize } = catalogue.get(id) ?? {};
  assert.deepEqual([state, finishedMs, skippedCount, chosenSize], ["active", null, 1, 10]);
  assert.deepEqual(wentOn, [id]);
});

/** Would catch: a folder that cannot be chosen since no file is in it, a name that fits nothing because the share's own folder was left out, and one that is nothing's. */
test("what is chosen is a file or a folder of the share, named with or without the one folder at its top", async () => {
  const catalogue = memoryCatalogue();
  const record = transferOf(1, { role: "get", link: READ_LINK, finishedMs: null });
  const { id } = record;
  catalogue.put(record);
  const { transfers } = transfersOf(catalogue, id);
  const { chooseFiles } = choosingHandlers(transfers, filesOf(["r/", "r/a", "r/hollow/", "r/r"]));
  const only = (path: string) => ({ id, choices: [NOTHING, { path, priority: "normal" as const }] });
  for (const [said, is] of [
    ["r/hollow", "r/hollow"],
    ["/hollow/", "r/hollow"],
    ["a", "r/a"],
    ["r", "r"],
  ] as const) {
    await chooseFiles(only(said), CONTEXT);
    assert.deepEqual(catalogue.selection(id)?.choices, only(is).choices);
  }
  await assert.rejects(chooseFiles(only("b"), CONTEXT), { code: "E_NO_FILE", message: /“b”/ });
});

/** Would catch: files that never come, since they are kept under a name again that the share does not have for them. */
test("what a download finds out of names while more is chosen holds", async () => {
  const catalogue = memoryCatalogue();
  const record = transferOf(1, { role: "get", link: READ_LINK, finishedMs: null, output: null });
  const { id } = record;
  const only = (...paths: string[]) => [
    { path: "", priority: "skip" as const },
    ...paths.map((one) => ({ path: one, priority: "normal" as const })),
  ];
  catalogue.put(record);
  catalogue.putSelection(id, { choices: only("film"), opened: null, held: null });
  let isFound = false;
  const files = {
    async withIndex(_record: unknown, use: (entries: AsyncIterable<unknown>) => Promise<unknown>) {
      if (!isFound) catalogue.putSelection(id, { choices: only("top/film"), opened: null, held: null });
      isFound = true;
      return use(
        (async function* () {
          for (const name of ["", "book", "film", "song"])
            yield {
              path: `top/${name}`,
              kind: name === "" ? "directory" : "file",
              size: name === "" ? 0 : 10,
            };
        })(),
      );
    },
  } as unknown as ShareFiles;
  const { transfers } = transfersOf(catalogue, id);
  const { chooseFiles } = choosingHandlers(transfers, files);
  await chooseFiles({ id, choices: [{ path: "top/book", priority: "normal" }] }, CONTEXT);
  assert.deepEqual(catalogue.selection(id)?.choices, only("top/book", "top/film"));
  const { skippedCount, chosenSize } = catalogue.get(id) ?? {};
  assert.deepEqual([skippedCount, chosenSize], [1, 20]);
});
