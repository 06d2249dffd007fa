import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { lastLines } from "../../src/process/log-tail.ts";

let folder: string;
let file: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "backroom-log-"));
  file = path.join(folder, "log");
});
after(() => rm(folder, { recursive: true, force: true }));

/** Would catch: a daemon that has not logged yet answered with an error. */
test("no file is no lines", async () => {
  assert.deepEqual(await lastLines(path.join(folder, "none"), 5), []);
});

/** Would catch: a line cut at the edge of a block, one too many or too few, the files in the wrong order. */
test("the last lines of both files, whatever their lengths", async () => {
  const line = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => text.replaceAll("\n", " "));
  // Some as long as blocks are.
  const long = fc.integer({ min: 60_000, max: 70_000 }).map((length) => "x".repeat(length));
  const lines = fc.array(fc.oneof({ weight: 20, arbitrary: line }, { weight: 1, arbitrary: long }), {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(lines, lines, fc.integer({ min: 1, max: 70 }), async (older, newer, count) => {
      await writeFile(`${file}.1`, older.map((text) => `${text}\n`).join(""));
      await writeFile(file, newer.map((text) => `${text}\n`).join(""));
      assert.deepEqual(await lastLines(file, count), [...older, ...newer].slice(-count));
    }),
    { numRuns: 50 },
  );
});

/** Would catch: half a line of JSON given to whoever parses lines. */
test("a line that is still being written is left out", async () => {
  await rm(`${file}.1`, { force: true });
  await writeFile(file, 'one\ntwo\n{"half":');
  assert.deepEqual(await lastLines(file, 10), ["one", "two"]);
});
