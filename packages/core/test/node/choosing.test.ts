import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { BackroomError } from "../../src/base/errors.ts";
import { Choosing } from "../../src/node/choosing.ts";
import { Selection } from "../../src/pack/selection.ts";
import type { PackSource } from "../../src/pack/source.ts";
import type { Swarm, Want } from "../../src/swarm/swarm.ts";
import { MemorySource } from "../support/memory-source.ts";
import { keys, makeTree, sealToBuffer, tempFolder } from "../support/pack-fixtures.ts";

/** Would catch: a transfer of which nothing can be chosen any more, since a read of its front failed once. */
test("where the pack could not be opened the next choice opens it anew", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/a": Buffer.from("a"), "r/b": Buffer.from("b") });
  const { pack } = await sealToBuffer([join(folder, "r")]);
  const memory = new MemorySource(pack);
  let isBroken = true;
  const source: PackSource = {
    length: pack.length,
    read: async (offset, length) => {
      if (isBroken) throw new BackroomError("E_HASH", "damaged");
      return memory.read(offset, length);
    },
  };
  const wants: Want[] = [];
  const swarm = { want: (want: Want) => void wants.push(want), source: () => source };
  const selection = Selection.of([{ path: "r/b", priority: "skip" }]);
  const info = { pieceLength: 16 * 1024, pieceCount: Math.ceil(pack.length / (16 * 1024)) };
  const choosing = new Choosing(swarm, info, keys, { selection, opened: undefined, isKept: false });
  await assert.rejects(choosing.ready, { code: "E_HASH" });
  isBroken = false;
  await choosing.choose(selection);
  assert.equal(wants.length, 2);
});

/** Would catch: a download that waits for ever for files that nobody fetches, since patterns and people chose at the same time. */
test("what a person chooses while patterns are looked up holds, for who fetches and for who opens", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/a": Buffer.from("a"), "r/b": Buffer.from("b") });
  const { pack } = await sealToBuffer([join(folder, "r")]);
  const wants: Want[] = [];
  const swarm: Pick<Swarm, "want" | "source"> = {
    want: (want) => void wants.push(want),
    source: () => new MemorySource(pack),
  };
  const lookedUp = Promise.withResolvers<Selection>();
  const begun = Promise.withResolvers<void>();
  const info = { pieceLength: 16 * 1024, pieceCount: Math.ceil(pack.length / (16 * 1024)) };
  const counts: number[] = [];
  const choosing = new Choosing(swarm, info, keys, {
    selection: () => {
      begun.resolve();
      return lookedUp.promise;
    },
    opened: undefined,
    isKept: false,
    onPlan: ({ wantedCount }) => counts.push(wantedCount),
  });
  await begun.promise;
  const chosen = Selection.of([{ path: "r/b", priority: "skip" }]);
  await choosing.choose(chosen);
  lookedUp.resolve(Selection.of([{ path: "", priority: "skip" }]));
  await choosing.ready;
  assert.equal(choosing.files.now().selection, chosen);
  assert.deepEqual(counts, [1]);
  assert.equal(wants.length, 2);
});

/** Would catch: files that are named before anybody knows the share's names for them, and are wanted by no name that it has. */
test("what is chosen before the list of files is here may be found out from that, too, and the last of it holds", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/a": Buffer.from("a"), "r/b": Buffer.from("b") });
  const { pack } = await sealToBuffer([join(folder, "r")]);
  const memory = new MemorySource(pack);
  const isHere = Promise.withResolvers<void>();
  const source: PackSource = {
    length: pack.length,
    read: async (offset, length) => {
      await isHere.promise;
      return memory.read(offset, length);
    },
  };
  const swarm: Pick<Swarm, "want" | "source"> = { want() {}, source: () => source };
  const info = { pieceLength: 16 * 1024, pieceCount: Math.ceil(pack.length / (16 * 1024)) };
  const [first, last] = ["r/a", "r/b"].map((path) => Selection.of([{ path, priority: "skip" }]));
  const choosing = new Choosing(swarm, info, keys, {
    selection: async () => first as Selection,
    opened: undefined,
    isKept: false,
  });
  const chosen = choosing.choose(async () => last as Selection);
  isHere.resolve();
  await Promise.all([choosing.ready, chosen]);
  const { selection, changed } = choosing.files.now();
  assert.equal(selection, last);
  await choosing.choose(async () => first as Selection);
  assert.ok(changed.aborted, "whoever opens is not told");
  assert.equal(choosing.files.now().selection, first);
});
