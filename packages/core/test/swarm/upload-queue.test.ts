import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { BackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { release } from "../../src/base/memory.ts";
import { RateLimit } from "../../src/base/rate-limit.ts";
import type { PieceStore } from "../../src/store/piece-store.ts";
import { encodeMessage } from "../../src/torrent/peer-wire.ts";
import { UploadQueue, type UploadHooks } from "../../src/swarm/upload-queue.ts";
import { WireOutput } from "../../src/swarm/wire-output.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { inOrder } from "../support/in-order.ts";

const BLOCK = 16 * 1024;

function newQueue() {
  const reads: number[] = [];
  const state = { accepts: true, served: 0, before: Promise.resolve() };
  const memories = new Set<ArrayBufferLike>();
  const written: Buffer[] = [];
  /** Of each write, whether it was said that another one follows. */
  const followed: boolean[] = [];
  const clock = new ManualClock();
  const limit = new RateLimit(clock);
  const output = new WireOutput({
    // As a tunnel does: what was sent is given back.
    write: (bytes, more = false) => {
      written.push(Buffer.from(bytes));
      release(bytes);
      followed.push(more);
      return state.accepts;
    },
    start() {},
    close() {},
    pause() {},
    resume() {},
  });
  const store = {
    info: { pieceLength: 64 * 1024 * 1024 },
    read: async (offset: number, length: number, into: Buffer) => {
      reads.push(length);
      memories.add(into.buffer);
      await state.before;
      assert.equal(into.length, length);
      for (let at = 0; at < length; at += BLOCK)
        into.fill((offset + at) / BLOCK, at, Math.min(length, at + BLOCK));
      return into;
    },
  } as unknown as PieceStore;
  const hooks: UploadHooks = {
    onServed: (bytes) => (state.served += bytes),
    onFailed: (ranges) => output.sendAll(ranges.map((failed) => ({ type: "reject", ...failed }))),
  };
  const share = limit.share(() => queue.pump());
  const queue = new UploadQueue(store, output, share, hooks);
  return { queue, output, reads, state, memories, written, followed, limit, clock };
}

const messageOf = (index: number): Buffer =>
  encodeMessage({ type: "piece", piece: 0, begin: index * BLOCK, bytes: Buffer.alloc(BLOCK, index) });
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

/** Would catch: frames that go out half empty while the next blocks are being read; a last block that waits for a next one for ever. */
test("another write is announced until the last block of what was asked for, and never where a limit could hold it back", async () => {
  const blocks = (2 * LIMITS.peerReadBytes) / BLOCK;
  const { queue, followed, limit } = newQueue();
  const serve = async (): Promise<boolean[]> => {
    followed.length = 0;
    for (let index = 0; index < blocks; index++) queue.push(range(index));
    queue.pump();
    for (let turn = 0; turn < 2 * blocks; turn++) await nextTurn();
    return followed;
  };
  assert.deepEqual(await serve(), [true, false]);
  limit.rate = 1024 * 1024 * 1024;
  assert.deepEqual(
    await serve(),
    inOrder(blocks).map(() => false),
  );
});

/** Would catch: what was written of a run staying with us for as long as a tunnel holds it, since the rest of it cannot be read or is taken back. */
test("after an announcement something is written also where the rest cannot be read, or is taken back", async () => {
  for (const ending of ["comes", "fails", "is taken back"] as const) {
    const { queue, output, followed, state, reads } = newQueue();
    const blocks = (3 * LIMITS.peerReadBytes) / BLOCK;
    for (let index = 0; index < blocks; index++) queue.push(range(index));
    const rest = Promise.withResolvers<void>();
    queue.pump();
    state.before = rest.promise;
    await nextTurn();
    assert.deepEqual([followed.at(-1), state.served, reads.length], [true, LIMITS.peerReadBytes, 2]);
    const taken =
      ending !== "is taken back" ? [] : inOrder(blocks).filter((index) => queue.cancel(range(index)));
    // What is being read is not taken back, and comes.
    assert.equal(taken.length, ending === "is taken back" ? blocks / 3 : 0);
    for (const index of taken) output.send({ type: "reject", ...range(index) });
    if (ending === "fails") rest.reject(new Error("the disk is gone"));
    else rest.resolve();
    for (let turn = 0; turn < 6; turn++) await nextTurn();
    assert.equal(followed.at(-1), false, ending);
    assert.equal(queue.length, 0);
  }
});

/** Would catch: blocks that are overwritten by the next read before they have gone, gaps that are read across, blocks behind the wrong head. */
test("each block goes out as it was read, whatever is read after it", async () => {
  const { queue, written, memories } = newQueue();
  const asked = [...inOrder(40), 60, 61, 59, 100];
  for (const index of asked) queue.push(range(index));
  queue.pump();
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  assert.ok(Buffer.concat(written).equals(Buffer.concat(asked.map(messageOf))));
  assert.equal(queue.length, 0);
  // One memory for all reads, and none while nothing is asked for.
  assert.deepEqual(
    [...memories].map(({ byteLength }) => byteLength),
    [0],
  );
});

/** Would catch: a run that goes out whole though only a block of it may; memory given back under a block. */
test("from a limit that is set between two runs on a block goes at a time, be the last one ever so short", async () => {
  const { queue, written, followed, limit, clock, state } = newQueue();
  const blocks = LIMITS.peerReadBytes / BLOCK + 1;
  const short = { piece: 0, begin: blocks * BLOCK, length: 9 };
  const asked = [...inOrder(blocks).map(range), short];
  for (const block of asked) queue.push(block);
  const rest = Promise.withResolvers<void>();
  queue.pump();
  state.before = rest.promise;
  await nextTurn();
  assert.deepEqual(followed, [true]);
  limit.rate = 0;
  rest.resolve();
  for (let turn = 0; turn < 6; turn++) await nextTurn();
  assert.deepEqual([followed, state.served], [[true], LIMITS.peerReadBytes]);
  limit.rate = 1024 * 1024 * 1024;
  for (let turn = 0; turn < 4; turn++) {
    clock.advance(1_000);
    await nextTurn();
  }
  assert.deepEqual(followed, [true, false, false]);
  const tail = encodeMessage({ type: "piece", ...short, bytes: Buffer.alloc(9, blocks) });
  assert.ok(Buffer.concat(written).equals(Buffer.concat([...inOrder(blocks).map(messageOf), tail])));
});

/** Would catch: memory that a read which failed may still be written into, used for the next one. */
test("after a read that failed the next one gets other memory", async () => {
  const { queue, memories, state } = newQueue();
  const failing = Promise.withResolvers<void>();
  state.before = failing.promise;
  queue.push(range(0));
  queue.push(range(2));
  queue.pump();
  state.before = Promise.resolve();
  failing.reject(new Error("the disk is gone"));
  for (let turn = 0; turn < 4; turn++) await nextTurn();
  assert.deepEqual([memories.size, state.served], [2, BLOCK]);
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
