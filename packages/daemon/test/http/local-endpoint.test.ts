import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { systemRandom } from "@backroom/core/base/random.ts";
import { findLocalEndpoint, makeLocalEndpoint } from "../../src/http/local-endpoint.ts";

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), "backroom-endpoint-"));
});
after(() => rm(root, { recursive: true }));

test("a socket lies in the data folder, and needs no secret", async () => {
  const endpoint = await makeLocalEndpoint(root, "linux", systemRandom);
  assert.deepEqual(endpoint, { socketPath: path.join(root, "daemon.sock"), secret: null });
  assert.deepEqual(await findLocalEndpoint(root, "linux"), endpoint);
});

test("a pipe's name and secret are new for each run, and only the owner reads them", async () => {
  assert.equal(await findLocalEndpoint(root, "win32"), undefined);
  const first = await makeLocalEndpoint(root, "win32", systemRandom);
  assert.deepEqual(await findLocalEndpoint(root, "win32"), first);
  const second = await makeLocalEndpoint(root, "win32", systemRandom);
  assert.deepEqual(await findLocalEndpoint(root, "win32"), second);
  assert.notEqual(first.socketPath, second.socketPath);
  assert.notEqual(first.secret, second.secret);
  assert.match(second.socketPath, /^\\\\\.\\pipe\\backroom-[0-9a-f]{32}$/);
  assert.equal((await stat(path.join(root, "daemon.pipe"))).mode & 0o777, 0o600);
});

test("a damaged file is no endpoint", async () => {
  for (const text of ["", "{", "[]", '{"socketPath":1,"secret":"x"}']) {
    await writeFile(path.join(root, "daemon.pipe"), text);
    assert.equal(await findLocalEndpoint(root, "win32"), undefined, text);
  }
});
