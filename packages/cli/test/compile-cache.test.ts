import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { cacheFolder } from "../src/compile-cache.ts";
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
