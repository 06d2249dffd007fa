import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import { clearReserved, moveNew } from "../../src/pack/move-new.ts";
import { withFolder } from "../store/temporary.ts";

const MODULE = new URL("../../src/pack/move-new.ts", import.meta.url).href;

/** Moves in a process that is killed with SIGKILL where it calls `killAt`, before that does anything. Whether it was killed. */
function killedAt(killAt: string, source: string, target: string, hasLinks: boolean): boolean {
  const code = `
    import fs from "node:fs/promises";
    import { syncBuiltinESMExports } from "node:module";
    const refuse = async () => { throw Object.assign(new Error("EPERM"), { code: "EPERM" }); };
    if (${!hasLinks}) fs.link = refuse;
    fs.${killAt} = () => process.kill(process.pid, "SIGKILL");
    syncBuiltinESMExports();
    const { moveNew } = await import(${JSON.stringify(MODULE)});
    await moveNew(${JSON.stringify(source)}, ${JSON.stringify(target)});`;
  const { signal, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  return signal === "SIGKILL";
}

async function withSource(run: (source: string, target: string) => Promise<void>): Promise<void> {
  await withFolder(async (root) => {
    await mkdir(path.join(root, "staging"));
    const source = path.join(root, "staging", "film");
    await writeFile(source, "film");
    await run(source, path.join(root, "film"));
  });
}

/** Would catch: an empty file, or an empty folder, that a kill leaves where a download belongs, and that is then in its own way. */
test("a kill at any moment leaves the target whole, or nothing at it", async () => {
  for (const killAt of ["link", "unlink"]) {
    await withSource(async (source, target) => {
      assert.ok(killedAt(killAt, source, target, true), killAt);
      const there = await readFile(target, "utf8").catch(() => undefined);
      assert.equal(there, killAt === "unlink" ? "film" : undefined);
    });
  }
  await withFolder(async (root) => {
    const [source, target] = [path.join(root, "source"), path.join(root, "target")];
    await mkdir(path.join(source, "film"), { recursive: true });
    assert.ok(killedAt("rename", source, target, true));
    assert.deepEqual(await readdir(root), ["source"]);
  });
});

test("without hard links an empty file may be left, which is found and taken away; what holds something stays", async () => {
  await withSource(async (source, target) => {
    assert.ok(killedAt("rename", source, target, false));
    assert.equal(await readFile(target, "utf8"), "");
    await clearReserved(target);
    await moveNew(source, target);
    assert.equal(await readFile(target, "utf8"), "film");
    await clearReserved(target);
    assert.equal(await readFile(target, "utf8"), "film");
  });
});

test("nothing is replaced, neither a file nor a folder", async () => {
  for (const isFolder of [false, true]) {
    await withSource(async (source, target) => {
      if (isFolder) await mkdir(path.join(target, "own"), { recursive: true });
      else await writeFile(target, "own");
      for (const one of [source, path.dirname(source)]) {
        await assert.rejects(moveNew(one, target), (error) => isBackroomError(error, "E_TARGET_EXISTS"));
      }
      assert.equal(await readFile(source, "utf8"), "film");
    });
  }
});
