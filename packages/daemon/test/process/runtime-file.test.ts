import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import {
  proxyHash,
  readRuntimeFile,
  removeRuntimeFile,
  writeRuntimeFile,
} from "../../src/process/runtime-file.ts";

let folder: string;
before(async () => (folder = await mkdtemp(path.join(tmpdir(), "backroom-run-"))));
after(() => rm(folder, { recursive: true, force: true }));

/** Would catch: a file that others may read, one that outlives the daemon, and a broken one that ends whoever reads it. */
test("what a daemon says of itself is there for its owner while it runs", async () => {
  const file = path.join(folder, "daemon.json");
  assert.equal(await readRuntimeFile(folder), undefined);
  const content = {
    pid: 17,
    version: "0.1.0",
    startedMs: 1_700_000_000_000,
    page: "http://127.0.0.1:1234/",
    proxyHash: proxyHash("socks5://127.0.0.1:9050"),
    lan: true,
  };
  await writeRuntimeFile(folder, content);
  assert.deepEqual(await readRuntimeFile(folder), content);
  if (process.platform !== "win32") assert.equal((await stat(file)).mode & 0o777, 0o600);
  for (const broken of ["", "{", "7", '{"pid":"17"}', "null"]) {
    await writeFile(file, broken);
    assert.equal(await readRuntimeFile(folder), undefined, broken);
  }
  await removeRuntimeFile(folder);
  await removeRuntimeFile(folder);
  assert.equal(await readRuntimeFile(folder), undefined);
});
