import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import {
  makeTree,
  noise,
  openBuffer,
  sealToBuffer,
  tempFolder,
  type Tree,
} from "../support/pack-fixtures.ts";
import { havePartners } from "../support/partners.ts";

const MiB = 1024 * 1024;
const SPACE = 4 * MiB;

/** Each way in which bytes reach the disk: in one go, side by side, and in parts. */
const trees: Record<string, Tree> = {
  "small files": Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`in/${index}`, noise(20_000, index)]),
  ),
  "files of middle length": Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [`in/${index}`, noise(200_000, index)]),
  ),
  "a large file": { "in/large": noise(12 * MiB) },
};

for (const [name, tree] of Object.entries(trees)) {
  test(`a disk that fills up is called full and gets its space back: ${name}`, async (t) => {
    if (!havePartners(t, "tmpfs")) return;
    const folder = await tempFolder(t);
    const disk = join(folder, "disk");
    await mkdir(disk);
    run("mount", ["-t", "tmpfs", "-o", `size=${SPACE}`, "tmpfs", disk]);
    try {
      await makeTree(folder, tree);
      const { pack } = await sealToBuffer([join(folder, "in")]);
      await assert.rejects(openBuffer(pack, join(disk, "out")), (error) =>
        isBackroomError(error, "E_DISK_FULL"),
      );
      assert.deepEqual(await readdir(disk), []);
      await makeTree(folder, { fits: noise(SPACE / 2) });
      await openBuffer((await sealToBuffer([join(folder, "fits")])).pack, join(disk, "out"));
    } finally {
      run("umount", [disk]);
    }
  });
}

function run(program: string, args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}
