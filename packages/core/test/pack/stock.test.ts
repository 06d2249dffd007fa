import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  ageTree,
  identity,
  makeTree,
  noise,
  openBuffer,
  sealToBuffer,
  snapshot,
  tempFolder,
  text,
} from "../support/pack-fixtures.ts";
import { havePartners } from "../support/partners.ts";

const MiB = 1024 * 1024;

/** `age -d -i KEY pack | zstd -d | tar x`; returns where. */
async function openWithStockTools(
  t: TestContext,
  pack: Buffer,
  parent?: string,
): Promise<{ out: string; zst: string }> {
  const folder = await tempFolder(t, parent);
  const at = (name: string): string => join(folder, name);
  await writeFile(at("key"), `${identity.identity}\n`);
  await writeFile(at("pack"), pack);
  await mkdir(at("out"));
  const line =
    'age -d -i "$0/key" "$0/pack" > "$0/pack.tar.zst" && zstd -qdc "$0/pack.tar.zst" | tar -x -C "$0/out"';
  const { status, stderr } = spawnSync("bash", ["-o", "pipefail", "-c", line, folder], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  return { out: at("out"), zst: at("pack.tar.zst") };
}

test("age, zstd and tar open a pack to exactly the tree that was sealed", async (t) => {
  if (!havePartners(t, "age", "zstd", "tar")) return;
  const folder = await tempFolder(t);
  await makeTree(folder, {
    "in/r/empty": "",
    "in/r/empty folder/": "",
    "in/r/program": "#!/bin/sh\n",
    "in/r/noise": noise(9 * MiB + 7),
    "in/r/text": text(17 * MiB + 5),
    "in/r/日本語/Ω 🎉 ﷽ \u{1f469}\u{200d}\u{1f680}": "x",
    "in/r/new\u{301}": "decomposed accents stay as they are",
    [`in/r/${"n".repeat(99)}`]: "just fits a header",
    [`in/r/${"m".repeat(255)}`]: "the longest name",
    [`in/r/${"long and deep/".repeat(60)}end`]: "y",
    "in/second root.txt": "z",
  });
  await ageTree(join(folder, "in"), "r/program");
  const { pack } = await sealToBuffer([join(folder, "in/r"), join(folder, "in/second root.txt")]);
  const { out, zst } = await openWithStockTools(t, pack);
  assert.deepEqual(await snapshot(out), await snapshot(join(folder, "in")));

  const list = spawnSync("zstd", ["--list", "-v", zst], { encoding: "utf8" });
  assert.equal(list.status, 0, list.stderr);
  // One index frame, perhaps one of padding, and the seek table; zstd counts them the same way.
  const skippable = Number(/# Skippable Frames: (\d+)/.exec(list.stdout)?.[1]);
  assert.ok(skippable === 2 || skippable === 3, list.stdout);
});

const MANY = 30_000;
/** In memory where that can be: a disk may take a minute to make and remove this many files. */
const memoryDisk = existsSync("/dev/shm") ? "/dev/shm" : undefined;

/** As `snapshot`, at once, for many files. */
function quickSnapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((item) => {
      const place = join(item.parentPath, item.name);
      const { mode, mtimeMs } = statSync(place);
      const content = item.isFile() ? hash("sha256", readFileSync(place)) : "folder";
      return `${place.slice(folder.length)} ${mode & 0o111} ${Math.floor(mtimeMs / 1000)} ${content}`;
    })
    .sort();
}

test("thirty thousand small files come out of both programs as the exact tree that went in", async (t) => {
  if (!havePartners(t, "age", "zstd", "tar")) return;
  const folder = await tempFolder(t, memoryDisk);
  const content = Buffer.concat([text(2000), noise(2000)]);
  for (let index = 0; index < MANY; index++) {
    const inside = join(folder, `in/${index % 300}`);
    if (index < 300) mkdirSync(inside, { recursive: true });
    const place = join(inside, `file ${index}`);
    writeFileSync(place, content.subarray(index % 4000, (index % 4000) + ((index * 37) % 1500)));
    utimesSync(place, 1e9 + index, 1e9 + index);
    if (index % 1000 === 0) chmodSync(place, 0o755);
  }
  const { pack, result } = await sealToBuffer([join(folder, "in")]);
  assert.equal(result.fileCount, MANY);
  const wanted = quickSnapshot(join(folder, "in"));
  const { out } = await openWithStockTools(t, pack, memoryDisk);
  assert.deepEqual(quickSnapshot(join(out, "in")), wanted);
  await openBuffer(pack, join(folder, "ours"));
  assert.deepEqual(quickSnapshot(join(folder, "ours")), wanted);
});
