import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { BackroomError, isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { openPack, type OpenOptions, type OpenResult } from "../../src/pack/open.ts";
import { Selection } from "../../src/pack/selection.ts";
import type { PackSource } from "../../src/pack/source.ts";
import type { Unpack } from "../../src/pack/unpacker.ts";
import { MemorySource } from "../support/memory-source.ts";
import {
  ageTree,
  keys,
  makeTree,
  noise,
  sealToBuffer,
  snapshot,
  tempFolder,
  text,
} from "../support/pack-fixtures.ts";
import { havePartners } from "../support/partners.ts";

const MIB = 1024 * 1024;
/** Each way in which bytes reach the disk: at once, side by side, and in parts; folders with nothing in them. */
const TREE = {
  "r/empty": "",
  "r/hollow/": "",
  "r/program": "#!/bin/sh\n",
  "r/small/one": noise(20_000, 1),
  "r/small/two": noise(20_000, 2),
  "r/middle": noise(200_009, 3),
  "r/noise": noise(5 * MIB + 7, 4),
  "r/text": text(9 * MIB + 5),
};
const FILE_BYTES = 14 * MIB + 12 + 10 + 2 * 20_000 + 200_009;
const raises =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    isBackroomError(error, code);

/** What every Unpack owes (pack/unpacker.ts). */
export function unpackSuite(name: string, unpack: Unpack): void {
  async function sealed(t: TestContext): Promise<{ folder: string; pack: Buffer }> {
    const folder = await tempFolder(t);
    await makeTree(folder, TREE);
    await ageTree(join(folder, "r"), "program");
    const { pack } = await sealToBuffer([join(folder, "r")]);
    return { folder, pack };
  }

  function open(target: string, source: PackSource, options: Partial<OpenOptions> = {}): Promise<OpenResult> {
    const all = { keys, place: { target }, root: Buffer.alloc(32, 1), ...options };
    return openPack(all, { source, random: systemRandom, unpack });
  }

  /** Nothing is left beside what was sealed, and nobody has a file open that lay there. */
  async function assertNothingLeft(folder: string): Promise<void> {
    assert.deepEqual(await readdir(folder), ["r"]);
    const open = await Promise.all(
      (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
    );
    assert.deepEqual(
      open.filter((file) => file.startsWith(folder)),
      [],
    );
  }

  test(`${name}: a tree of everything comes back as it was, and what is told adds up to it`, async (t) => {
    const { folder, pack } = await sealed(t);
    const told: number[] = [];
    await open(join(folder, "out"), new MemorySource(pack), {
      onProgress: ({ doneBytes, totalBytes }) => {
        told.push(doneBytes);
        assert.equal(totalBytes, FILE_BYTES);
      },
    });
    assert.deepEqual(await snapshot(join(folder, "out")), await snapshot(join(folder, "r")));
    assert.equal(told.at(-1), FILE_BYTES);
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    );
    assert.deepEqual((await readdir(folder)).sort(), ["out", "r"]);
  });

  test(`${name}: a pack that is damaged far behind its index is refused by code, and leaves nothing`, async (t) => {
    const { folder, pack } = await sealed(t);
    pack[3 * MIB] = (pack[3 * MIB] as number) ^ 1;
    await assert.rejects(open(join(folder, "out"), new MemorySource(pack)), (error) => {
      assert.ok(isBackroomError(error, "E_CRYPTO"));
      assert.equal(error.message, "the encrypted body did not authenticate");
      assert.ok(error.cause instanceof Error, "what was behind it is lost");
      return true;
    });
    await assertNothingLeft(folder);
  });

  test(`${name}: what a source raises is raised as it was`, async (t) => {
    const { folder, pack } = await sealed(t);
    const memory = new MemorySource(pack);
    const gone = new BackroomError("E_SWARM_CLOSED", "the swarm is gone", { why: "of this", fix: "do that" });
    const source: PackSource = {
      length: pack.length,
      read: (offset, length) =>
        offset > 2 * MIB && offset < 4 * MIB ? Promise.reject(gone) : memory.read(offset, length),
    };
    await assert.rejects(open(join(folder, "out"), source), (error) => error === gone);
    await assertNothingLeft(folder);
  });

  test(`${name}: what is called off while a read waits ends at once, and nobody waits on`, async (t) => {
    const { folder, pack } = await sealed(t);
    const memory = new MemorySource(pack);
    const stop = new AbortController();
    const waiting = Promise.withResolvers<AbortSignal>();
    const source: PackSource = {
      length: pack.length,
      read(offset, length, signal) {
        if (signal === undefined || offset < 2 * MIB || offset > 4 * MIB) return memory.read(offset, length);
        waiting.resolve(signal);
        return new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new BackroomError("E_INTERRUPTED", "stopped")));
        });
      },
    };
    const opening = open(join(folder, "out"), source, { signal: stop.signal });
    opening.catch(() => {});
    const signal = await waiting.promise;
    stop.abort();
    await assert.rejects(opening, raises("E_INTERRUPTED"));
    assert.ok(signal.aborted, "somebody waits for what nobody wants");
    await assertNothingLeft(folder);
  });

  test(`${name}: what is called off before it begins does not begin`, async (t) => {
    const { folder, pack } = await sealed(t);
    const options = { signal: AbortSignal.abort() };
    await assert.rejects(open(join(folder, "out"), new MemorySource(pack), options), raises("E_INTERRUPTED"));
    await assertNothingLeft(folder);
  });

  test(`${name}: what is wanted changes while a read waits, twice; the last counts`, async (t) => {
    const { folder, pack } = await sealed(t);
    const memory = new MemorySource(pack);
    const only = (path: string): Selection =>
      Selection.of([
        { path: "", priority: "skip" },
        { path, priority: "normal" },
      ]);
    const later = [only("r/middle"), only("r/small")];
    let selection = only("r/noise");
    let change = new AbortController();
    const source: PackSource = {
      length: pack.length,
      async read(offset, length, signal) {
        const next = length > 65_552 && signal !== undefined ? later.shift() : undefined;
        if (next === undefined) return memory.read(offset, length);
        selection = next;
        const now = change;
        change = new AbortController();
        const given = new Promise<never>((_, reject) => {
          signal?.addEventListener("abort", () => reject(new BackroomError("E_INTERRUPTED", "stopped")));
        });
        now.abort();
        return given;
      },
    };
    const surveys: number[] = [];
    const { selection: opened } = await open(join(folder, "out"), source, {
      wanted: { now: () => ({ selection, changed: change.signal }), opened: undefined },
      onProgress: ({ totalBytes }) => {
        if (surveys.at(-1) !== totalBytes) surveys.push(totalBytes);
      },
    });
    assert.deepEqual(opened?.choices(), only("r/small").choices());
    assert.deepEqual(await readdir(join(folder, "out"), { recursive: true }), [
      "small",
      "small/one",
      "small/two",
    ]);
    assert.deepEqual(surveys, [5 * MIB + 7, 200_009, 40_000]);
  });

  test(`${name}: however much earlier openings brought, the rest comes beside it`, async (t) => {
    const { folder, pack } = await sealed(t);
    const opened = Selection.kept(
      Array.from({ length: LIMITS.selectionChoices + 1 }, (_, number) => ({
        path: number === 0 ? "" : `r/${number}`,
        priority: number === 0 ? ("skip" as const) : ("normal" as const),
      })),
    );
    const selection = opened.plus(
      Selection.of([
        { path: "", priority: "skip" },
        { path: "r/middle", priority: "normal" },
      ]),
    );
    const result = await open(join(folder, "out"), new MemorySource(pack), {
      wanted: { now: () => ({ selection, changed: new AbortController().signal }), opened },
    });
    assert.deepEqual(await readdir(join(folder, "out")), ["middle"]);
    assert.equal(result.selection?.choices().length, selection.choices().length);
  });

  test(`${name}: a disk that fills up is called full, and gets its space back`, async (t) => {
    if (!havePartners(t, "tmpfs")) return;
    const { folder, pack } = await sealed(t);
    const disk = join(folder, "disk");
    await mkdir(disk);
    run("mount", ["-t", "tmpfs", "-o", `size=${4 * MIB}`, "tmpfs", disk]);
    try {
      await assert.rejects(open(join(disk, "out"), new MemorySource(pack)), raises("E_DISK_FULL"));
      assert.deepEqual(await readdir(disk), []);
    } finally {
      run("umount", [disk]);
    }
  });
}

function run(program: string, args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}
