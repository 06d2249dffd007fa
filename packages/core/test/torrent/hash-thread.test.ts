import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { HashThread } from "../../src/torrent/hash-thread.ts";
import { hashPiece } from "../../src/torrent/piece-hashing.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { noise } from "../support/pack-fixtures.ts";

const MIB = 1024 * 1024;
const BUSY = 64 * MIB;

function shared(length: number, seed: number): Buffer {
  const bytes = Buffer.from(new SharedArrayBuffer(length));
  bytes.set(noise(length, seed));
  return bytes;
}

/** A thread that takes pieces. */
async function started(): Promise<{ hasher: HashThread; worker: Worker; clock: ManualClock }> {
  const clock = new ManualClock();
  const hasher = new HashThread(clock);
  const begun = once(process, "worker") as Promise<[Worker]>;
  hasher.hashedHere(BUSY);
  const [worker] = await begun;
  await once(worker, "message");
  assert.ok(hasher.isReady);
  return { hasher, worker, clock };
}

test("a thread gives what hashing here gives, whatever the length, and ends when there is nothing to hash", async () => {
  const { hasher, worker, clock } = await started();
  const pieces = [1, 16_384, 65_537, 3 * MIB].map((length, seed) => shared(length, seed));
  const hashes = await Promise.all(pieces.map((bytes) => hasher.hash(bytes, 8)));
  assert.deepEqual(
    hashes,
    pieces.map((bytes) => hashPiece(bytes, 8)),
  );
  clock.advance(9_000);
  await hasher.hash(pieces[0] as Buffer, 8);
  clock.advance(9_000);
  assert.ok(hasher.isReady, "it ended while it was used");
  const gone = once(worker, "exit");
  clock.advance(11_000);
  assert.ok(!hasher.isReady);
  await gone;
  assert.equal(clock.timerCount, 0);
  assert.deepEqual(await hasher.hash(pieces[2] as Buffer, 8), hashPiece(pieces[2] as Buffer, 8));
});

test("little, or much over a long time, is worth no thread", () => {
  const clock = new ManualClock();
  const hasher = new HashThread(clock);
  const onWorker = (): void => assert.fail("a thread was started");
  process.once("worker", onWorker);
  for (let second = 0; second < 60; second++) {
    hasher.hashedHere(20 * MIB);
    clock.advance(1_000);
  }
  process.off("worker", onWorker);
  assert.ok(!hasher.isReady);
});

test("what a thread that dies has not hashed is hashed all the same, and it can begin anew", async () => {
  const { hasher, worker } = await started();
  const pieces = [1, 2, 3, 4].map((seed) => shared(2 * MIB, seed));
  const hashing = pieces.map((bytes) => hasher.hash(bytes, 7));
  void worker.terminate();
  assert.deepEqual(
    await Promise.all(hashing),
    pieces.map((bytes) => hashPiece(bytes, 7)),
  );
  assert.ok(!hasher.isReady);
  const again = once(process, "worker") as Promise<[Worker]>;
  hasher.hashedHere(BUSY);
  const [next] = await again;
  await next.terminate();
});
