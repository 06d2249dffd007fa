import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { levelsBefore, planOf } from "../../src/node/piece-levels.ts";
import { PackReader } from "../../src/pack/pack-reader.ts";
import { Selection, type FilePriority } from "../../src/pack/selection.ts";
import { LEVELS } from "../../src/swarm/pick-order.ts";
import { MemorySource } from "../support/memory-source.ts";
import { collect, keys, makeTree, noise, sealToBuffer, tempFolder } from "../support/pack-fixtures.ts";

const KIB = 1024;
const NAMES = ["a", "b", "c", "d", "e"];

/** Would catch: a piece of a chosen file that is never fetched, one that is fetched for nothing, and one of two files that comes with the later. */
test("a piece has the priority of the soonest file in it, front and end come first, and all else is left out", async (t) => {
  const folder = await tempFolder(t);
  // Each of several frames, so that pieces are those of one file, of two, and of none.
  const tree = NAMES.map((name, at) => [`r/${name}`, noise(2500 * KIB + at * 77, at + 1)] as const);
  await makeTree(folder, Object.fromEntries(tree));
  const { pack } = await sealToBuffer([join(folder, "r")]);
  const reader = await PackReader.open(new MemorySource(pack), keys);
  const pieceLength = 64 * KIB;
  const pieces = { pieceLength, pieceCount: Math.ceil(pack.length / pieceLength) };
  const entries = (await collect(reader.entries())).filter(({ kind }) => kind !== "directory");
  const touches = ({ offset, length }: { offset: number; length: number }, piece: number): boolean =>
    offset < (piece + 1) * pieceLength && offset + length > piece * pieceLength;
  const frame = await reader.frame();
  const priority = fc.constantFrom<FilePriority>("skip", "low", "normal", "high");
  const each = fc.tuple(priority, priority, priority, priority, priority);
  await fc.assert(
    fc.asyncProperty(each, fc.subarray(NAMES), fc.boolean(), async (priorities, before, isKept) => {
      const selection = Selection.of(
        NAMES.map((name, at) => ({ path: `r/${name}`, priority: priorities[at] ?? "skip" })),
      );
      const opened =
        before.length === 0
          ? undefined
          : Selection.of([
              { path: "", priority: "skip" },
              ...before.map((name) => ({ path: `r/${name}`, priority: "low" as const })),
            ]);
      const plan = await planOf(reader, pieces, { selection, opened, isKept });
      const isWhole = (isKept || opened === undefined) && !priorities.includes("skip");
      for (let piece = 0; piece < pieces.pieceCount; piece++) {
        const levels = [0];
        for (const [at, entry] of entries.entries()) {
          if (!touches(await reader.spanOf(entry), piece)) continue;
          const level = LEVELS[selection.priorityOf(entry.path)];
          // What was opened before is fetched once more only to be handed out, after all else.
          if (!before.includes(NAMES[at] as string)) levels.push(level);
          else if (isKept) levels.push(Math.min(level, LEVELS.low));
        }
        if (frame.some((span) => touches(span, piece))) levels.push(LEVELS.high);
        if (isWhole) levels.push(LEVELS.low);
        assert.equal(plan.levels[piece], Math.max(...levels), `piece ${piece}`);
      }
      assert.equal(plan.skippedCount, priorities.filter((one) => one === "skip").length);
      assert.equal(plan.wantedCount, NAMES.length - plan.skippedCount);
      assert.equal(plan.wantedSize === 0, plan.wantedCount === 0);
    }),
    { numRuns: 25 },
  );
});

test("before the index is there the ends of the pack are wanted alone, also where they are one piece", () => {
  assert.deepEqual(
    [...levelsBefore({ pieceLength: 1, pieceCount: 3 })],
    [LEVELS.high, LEVELS.skip, LEVELS.high],
  );
  assert.deepEqual([...levelsBefore({ pieceLength: 1, pieceCount: 1 })], [LEVELS.high]);
});
