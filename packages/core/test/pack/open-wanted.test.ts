import assert from "node:assert/strict";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { BackroomError, isBackroomError } from "../../src/base/errors.ts";
import { systemRandom } from "../../src/base/random.ts";
import { openPack, type OpenProgress, type OpenResult } from "../../src/pack/open.ts";
import { PackReader } from "../../src/pack/pack-reader.ts";
import { Selection, type FileChoice, type FilePriority } from "../../src/pack/selection.ts";
import type { PackSource } from "../../src/pack/source.ts";
import { MemorySource } from "../support/memory-source.ts";
import {
  ageTree,
  collect,
  keys,
  makeTree,
  noise,
  sealToBuffer,
  snapshot,
  tempFolder,
} from "../support/pack-fixtures.ts";

const MIB = 1024 * 1024;
/** Small files that share a frame, large ones that span several, and folders with nothing or only folders in them. */
const TREE = {
  "r/a/one": "1",
  "r/a/two": "22",
  "r/ab": noise(MIB + 300, 3),
  "r/b/c/deep": "deep",
  "r/b/empty": "",
  "r/b/large": noise(200_009, 5),
  "r/b/z": noise(70_000, 6),
  "r/hollow/nothing/": "",
  "r/z": "last",
};
const PATHS = ["", "r", "r/a", "r/a/one", "r/a/two", "r/ab", "r/b", "r/b/c", "r/b/c/deep", "r/b/empty"];
PATHS.push("r/b/large", "r/b/z", "r/hollow", "r/hollow/nothing", "r/z");
const priority = fc.constantFrom<FilePriority>("skip", "low", "normal", "high");
const choices = fc.array(fc.record({ path: fc.constantFrom(...PATHS), priority }), { maxLength: 5 });
const SKIP_ALL: FileChoice = { path: "", priority: "skip" };

async function sealed(t: TestContext): Promise<{ folder: string; pack: Buffer; whole: string[] }> {
  const folder = await tempFolder(t);
  await makeTree(folder, TREE);
  await ageTree(join(folder, "r"), "a/two");
  const { pack } = await sealToBuffer([join(folder, "r")]);
  await mkdir(join(folder, "whole"));
  await openPack({ keys, root: Buffer.alloc(32, 1), place: { into: join(folder, "whole") } }, deps(pack));
  return { folder, pack, whole: await snapshot(join(folder, "whole")) };
}

function deps(pack: Buffer, source: PackSource = new MemorySource(pack)) {
  return { source, random: systemRandom };
}

async function openWanted(
  pack: Buffer,
  into: string,
  selection: Selection,
  opened?: Selection,
): Promise<OpenResult> {
  const changed = new AbortController().signal;
  return openPack(
    {
      keys,
      root: Buffer.alloc(32, 1),
      place: { into },
      wanted: { now: () => ({ selection, changed }), opened },
    },
    deps(pack),
  );
}

/** Of a whole opening what a selection leaves: files, folders with nothing in them, and the folders that those are in. */
function partOf(whole: readonly string[], wants: (path: string) => boolean): string[] {
  const pathOf = (line: string): string => /^\/(.*?) \d+ /.exec(line)?.[1] ?? "";
  const leaves = ["r/hollow/nothing", ...Object.keys(TREE).filter((path) => !path.endsWith("/"))].filter(
    wants,
  );
  return whole.filter((line) => {
    const path = pathOf(line);
    return leaves.some((leaf) => leaf === path || leaf.startsWith(`${path}/`));
  });
}

function compared(lines: readonly string[], hasFolderTimes: boolean): string[] {
  return lines.map((line) => (hasFolderTimes ? line : line.replace(/ \d+ dir$/, " dir")));
}

test("any part of a share, also in several goes, is what the whole opening gives of it", async (t) => {
  const { folder, pack, whole } = await sealed(t);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(choices, { minLength: 1, maxLength: 3 }), async (goes) => {
      const into = join(folder, `run ${run++}`);
      await mkdir(into);
      let opened: Selection | undefined;
      for (const said of goes) {
        const selection = Selection.of(said);
        const result = await openWanted(pack, into, selection, opened);
        opened = opened === undefined ? selection : opened.or(selection);
        const now = opened;
        const expected = partOf(whole, (path) => now.priorityOf(path) !== "skip");
        // What was put beside a folder gave it the time of that moment, as anything does.
        const isFirst = opened === selection;
        assert.deepEqual(compared(await snapshot(into), isFirst), compared(expected, isFirst));
        assert.equal(result.fileCount, 8);
        if (expected.length > 0 && isFirst) assert.equal(result.path, join(into, "r"));
      }
      assert.ok(
        (await readdir(into)).every((name) => name === "r"),
        "no staging folder is left",
      );
      await rm(into, { recursive: true });
    }),
    { numRuns: 25 },
  );
});

/** Would catch: progress that goes on counting what was taken away, so that all seems to be there before anything is. */
test("when something else is wanted, progress is that of what is wanted now", async (t) => {
  const { folder, pack } = await sealed(t);
  const large: FileChoice = { path: "r/b/large", priority: "low" };
  let selection = Selection.of([SKIP_ALL, { path: "r/ab", priority: "high" }, large]);
  let stop = new AbortController();
  const seen: OpenProgress[] = [];
  const onProgress = (progress: OpenProgress): void => {
    seen.push(progress);
    if (progress.doneBytes < MIB) return;
    // What comes first is all there, and what is wanted from now on has not begun.
    selection = Selection.of([SKIP_ALL, large]);
    stop.abort();
    stop = new AbortController();
  };
  const wanted = { now: () => ({ selection, changed: stop.signal }), opened: undefined };
  const place = { target: join(folder, "out") };
  await openPack({ keys, root: Buffer.alloc(32, 1), place, wanted, onProgress }, deps(pack));
  const totalBytes = TREE["r/b/large"].length;
  assert.deepEqual(
    seen.filter((progress) => progress.totalBytes === totalBytes).map(({ doneBytes }) => doneBytes),
    [0, totalBytes],
  );
});

test("what is wanted may change at any moment: what is opened is what was wanted last", async (t) => {
  const { folder, pack, whole } = await sealed(t);
  let run = 0;
  const change = fc.record({ said: choices, at: fc.nat({ max: 30 }) });
  await fc.assert(
    fc.asyncProperty(choices, fc.array(change, { maxLength: 3 }), async (first, changes) => {
      const into = join(folder, `change ${run++}`);
      await mkdir(into);
      let selection = Selection.of(first);
      let stop = new AbortController();
      const waiting = changes.toSorted((a, b) => a.at - b.at);
      const memory = new MemorySource(pack);
      const source: PackSource = {
        length: pack.length,
        async read(offset, length, signal) {
          const next = waiting[0];
          if (next !== undefined && memory.reads.length >= next.at) {
            waiting.shift();
            selection = Selection.of(next.said);
            stop.abort();
            stop = new AbortController();
          }
          if (signal?.aborted === true) throw new BackroomError("E_INTERRUPTED", "stopped");
          return memory.read(offset, length);
        },
      };
      const wanted = { now: () => ({ selection, changed: stop.signal }), opened: undefined };
      const seen: OpenProgress[] = [];
      const onProgress = (progress: OpenProgress): void => void seen.push(progress);
      const result = await openPack(
        { keys, root: Buffer.alloc(32, 1), place: { into }, wanted, onProgress },
        deps(pack, source),
      );
      const opened = result.selection as Selection;
      assert.ok(seen.every(({ doneBytes, totalBytes }) => doneBytes <= totalBytes));
      const wantedBytes = Object.entries(TREE)
        .filter(([path]) => opened.priorityOf(path) !== "skip")
        .reduce((sum, [, content]) => sum + content.length, 0);
      const all = { doneBytes: wantedBytes, totalBytes: wantedBytes };
      if (wantedBytes > 0) assert.deepEqual(seen.at(-1), all);
      assert.deepEqual(
        await snapshot(into),
        partOf(whole, (path) => opened.priorityOf(path) !== "skip"),
      );
      if (changes.length === 0) assert.ok(opened.covers(selection));
      await rm(into, { recursive: true });
    }),
    { numRuns: 25 },
  );
});

test("of what is not wanted nothing is read", async (t) => {
  const { folder, pack } = await sealed(t);
  const source = new MemorySource(pack);
  const selection = Selection.of([SKIP_ALL, { path: "r/b/large", priority: "low" }]);
  const wanted = { now: () => ({ selection, changed: new AbortController().signal }), opened: undefined };
  await openPack(
    { keys, root: Buffer.alloc(32, 1), place: { target: join(folder, "out") }, wanted },
    deps(pack, source),
  );
  const reader = await PackReader.open(new MemorySource(pack), keys);
  const entries = await collect(reader.entries());
  const large = entries.find(({ path }) => path === "r/b/large");
  assert.ok(large !== undefined);
  const spans = [...(await reader.frame()), await reader.spanOf(large)];
  for (const { offset, length } of source.reads) {
    assert.ok(
      spans.some((span) => offset >= span.offset && offset + length <= span.offset + span.length),
      `bytes from ${offset} on were read, ${length} of them`,
    );
  }
});

test("what is there is neither touched nor doubled: the same stays, anything else in the way stops all of it", async (t) => {
  const { folder, pack } = await sealed(t);
  const only = (path: string): Selection => Selection.of([SKIP_ALL, { path, priority: "normal" }]);
  const isTaken = (error: unknown): boolean => isBackroomError(error, "E_TARGET_EXISTS");
  const into = join(folder, "out");
  await mkdir(into);
  await openWanted(pack, into, only("r/a/one"));
  await assert.rejects(openWanted(pack, into, only("r/a/two")), isTaken, "somebody's folder is not ours");
  // As a kill in the middle leaves it: one file is where it belongs, the others are not.
  await openWanted(pack, into, only("r/b/z"), only("r/a/one"));
  await openWanted(pack, into, only("r/b"), only("r/a/one"));
  await writeFile(join(into, "r/z"), "mine");
  await rm(join(into, "r/b/large"));
  await assert.rejects(openWanted(pack, into, Selection.everything, only("r/a/one")), isTaken);
  assert.deepEqual(
    (await readdir(join(into, "r/b"))).sort(),
    ["c", "empty", "z"],
    "nothing was put anywhere",
  );
  await rm(join(into, "r/z"));
  await rm(join(into, "r/b"), { recursive: true });
  await symlink(folder, join(into, "r/b"));
  await assert.rejects(
    openWanted(pack, into, only("r/b/z"), only("r/a/one")),
    isTaken,
    "a link leads anywhere",
  );
});
