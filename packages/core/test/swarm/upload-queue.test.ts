import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { BackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import type { PieceStore } from "../../src/store/piece-store.ts";
import { UploadQueue } from "../../src/swarm/upload-queue.ts";
import { WireOutput } from "../../src/swarm/wire-output.ts";

const BLOCK = 16 * 1024;

function newQueue() {
  const reads: number[] = [];
  const state = { accepts: true, served: 0 };
  const output = new WireOutput({
    write: () => state.accepts,
    start() {},
    close() {},
    pause() {},
    resume() {},
  });
  const store = {
    info: { pieceLength: 64 * 1024 * 1024 },
    read: (_offset: number, length: number) => (reads.push(length), Promise.resolve(Buffer.alloc(length))),
  } as unknown as PieceStore;
  const hooks = { onServed: (bytes: number) => (state.served += bytes), onFailed() {} };
  return { queue: new UploadQueue(store, output, undefined, hooks), output, reads, state };
}

const range = (index: number) => ({ piece: 0, begin: index * BLOCK, length: BLOCK });

/** Would catch: a peer that asks for everything, reads nothing, and has us read a whole pack into memory. */
test("what is read ahead for a peer that takes nothing is bounded, and so is each read", async () => {
  const { queue, output, reads, state } = newQueue();
  state.accepts = false;
  output.send({ type: "keepalive" });
  for (let index = 0; index < 1_000; index++) assert.ok(queue.push(range(index)));
  for (let turn = 0; turn < 20; turn++) {
    queue.pump();
    await nextTurn();
  }
  assert.ok(Math.max(...reads) <= LIMITS.peerReadBytes, `${Math.max(...reads)} in one read`);
  const held = reads.reduce((sum, bytes) => sum + bytes, 0) - state.served;
  assert.ok(held > 0 && held <= LIMITS.peerReadAheadBytes, `${held} bytes are held`);
});

test("requests beyond the queue are not taken", () => {
  const { queue } = newQueue();
  for (let index = 0; index < LIMITS.peerQueuedRequests; index++) assert.ok(queue.push(range(index)));
  assert.equal(queue.push(range(LIMITS.peerQueuedRequests)), false);
});

/** Would catch: somebody who asks for hashes for ever and never reads one. */
test("messages that a peer does not read are counted, and end in an error", () => {
  const { output, state } = newQueue();
  state.accepts = false;
  output.raw(Buffer.alloc(1));
  output.raw(Buffer.alloc(LIMITS.peerBlockedBytes));
  assert.throws(
    () => output.raw(Buffer.alloc(1)),
    (error) => error instanceof BackroomError && error.code === "E_PEER_FLOOD",
  );
});
