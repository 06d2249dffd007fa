import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { BackroomError, isBackroomError } from "../../src/base/errors.ts";
import { systemRandom } from "../../src/base/random.ts";
import { secretKey } from "../../src/crypto/keys.ts";
import { openPack } from "../../src/pack/open.ts";
import { unpackInThread, unpackWhereItFits } from "../../src/pack/unpack-thread.ts";
import { unpackHere } from "../../src/pack/unpacker.ts";
import { MemorySource } from "../support/memory-source.ts";
import { keys, makeTree, noise, sealToBuffer, tempFolder } from "../support/pack-fixtures.ts";
import { unpackSuite } from "./unpack-suite.ts";

unpackSuite("in this thread", unpackHere);
unpackSuite("in a thread of its own", unpackInThread);

test("a thread is started for many files, and for few there is none", async (t) => {
  const folder = await tempFolder(t);
  const gone = new BackroomError("E_SWARM_CLOSED", "the swarm is gone");
  const job = {
    source: { length: 100_000, read: () => Promise.reject(gone) },
    body: { offset: 200, streamKey: secretKey(Buffer.alloc(32)) },
    folder,
    wanted: undefined,
    signal: undefined,
    onBytes() {},
    onSurvey() {},
  };
  let threadCount = 0;
  const onWorker = (): void => void threadCount++;
  process.on("worker", onWorker);
  t.after(() => process.off("worker", onWorker));
  await assert.rejects(unpackWhereItFits({ ...job, fileCount: 1_999 }), (error) => error === gone);
  assert.equal(threadCount, 0);
  await assert.rejects(unpackWhereItFits({ ...job, fileCount: 2_000 }), (error) => error === gone);
  assert.equal(threadCount, 1);
});

test("a thread that is gone in the middle is an error, and leaves nothing", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "in/f": noise(3_000_000) });
  const { pack } = await sealToBuffer([join(folder, "in")]);
  const memory = new MemorySource(pack);
  const onWorker = (worker: Worker): void => void worker.once("online", () => void worker.terminate());
  process.once("worker", onWorker);
  const options = { keys, place: { target: join(folder, "out") }, root: Buffer.alloc(32, 1) };
  const deps = { source: memory, random: systemRandom, unpack: unpackInThread };
  await assert.rejects(openPack(options, deps), (error) => isBackroomError(error, "E_INTERNAL"));
  assert.deepEqual(await readdir(folder), ["in"]);
});
