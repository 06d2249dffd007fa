import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { cacheFolder } from "../src/compile-cache.js";
import { backroom } from "./support/program.ts";

test("compiled code is kept where the platform keeps caches", () => {
  const env = { XDG_CACHE_HOME: "/x/cache", LOCALAPPDATA: "/x/local" };
  assert.equal(cacheFolder(env, "linux"), path.join("/x/cache", "backroom"));
  assert.equal(cacheFolder(env, "win32"), path.join("/x/local", "Backroom", "Cache"));
  assert.match(cacheFolder({}, "darwin"), /Library.Caches.Backroom$/);
  // Would catch: code out of a folder that lies wherever the program was started.
  for (const given of ["", "cache"]) {
    assert.equal(cacheFolder({ XDG_CACHE_HOME: given }, "linux"), cacheFolder({}, "linux"));
  }
});

/** Would catch: a cache that others may write to, and a program that does not start without one. */
test("the cache is its owner's alone, and a start without it is as good", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-cache-"));
  try {
    const kept = await backroom(["--version"], { env: { XDG_CACHE_HOME: folder } });
    assert.equal(kept.status, 0);
    assert.equal((await stat(path.join(folder, "backroom"))).mode & 0o077, 0);
    assert.ok((await readdir(path.join(folder, "backroom"))).length > 0);
    const without = await backroom(["--version"], { env: { XDG_CACHE_HOME: "/dev/null" } });
    assert.deepEqual([without.status, without.stdout], [0, kept.stdout]);
    const open = path.join(folder, "open");
    await mkdir(path.join(open, "backroom"), { recursive: true });
    await chmod(path.join(open, "backroom"), 0o777);
    const unsafe = await backroom(["--version"], { env: { XDG_CACHE_HOME: open } });
    assert.deepEqual([unsafe.status, unsafe.stdout], [0, kept.stdout]);
    assert.deepEqual(await readdir(path.join(open, "backroom")), []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Runs from source only. Would catch: a module with types on the way to the cache, for which what strips types stays in memory, 15 MiB of it. */
test("with its code kept, nothing is stripped of types", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-cache-"));
  try {
    const loaded = path.join(folder, "loaded.mjs");
    await writeFile(loaded, `process.on("exit", () => console.log(process.moduleLoadList.join("\\n")));`);
    const env = { XDG_CACHE_HOME: folder, NODE_OPTIONS: `--import ${loaded}` };
    const strippers = async (): Promise<number> => {
      const { status, stdout } = await backroom(["--version"], { env });
      assert.equal(status, 0);
      return stdout.split("\n").filter((name) => /^NativeModule .*\bamaro\b/.test(name)).length;
    };
    assert.equal(await strippers(), 1);
    assert.equal(await strippers(), 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
