import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { RequestWindow } from "../../src/swarm/request-window.ts";
import type { Block } from "../../src/swarm/picker.ts";

const BLOCK = 16 * 1024;

/** Runs a window over a path of fixed delay and bandwidth for `seconds`; gives the rate reached in the last second and the window. */
function run(delayMs: number, bytesPerMs: number, seconds: number): { rate: number; size: number } {
  const window = new RequestWindow(1 << 20);
  const way: { block: Block; atMs: number }[] = [];
  let linkFreeMs = 0;
  let next = 0;
  let lastSecond = 0;
  for (let nowMs = 0; nowMs < seconds * 1000; nowMs++) {
    for (let count = window.room; count > 0; count--) {
      const block = { piece: 0, block: next++ };
      window.sent(block, nowMs);
      linkFreeMs = Math.max(linkFreeMs, nowMs + delayMs) + BLOCK / bytesPerMs;
      way.push({ block, atMs: linkFreeMs });
    }
    while (way[0] !== undefined && way[0].atMs <= nowMs) {
      const { block } = way.shift() as { block: Block };
      assert.ok(window.delivered(block, BLOCK, nowMs));
      if (nowMs >= (seconds - 1) * 1000) lastSecond += BLOCK;
    }
    assert.ok(window.outstandingCount <= LIMITS.peerRequests);
  }
  return { rate: lastSecond / 1000, size: window.size };
}

for (const [delayMs, mibPerSecond] of [
  [30, 1],
  [200, 4],
  [800, 8],
  [1500, 0.25],
] as const) {
  test(`a path of ${delayMs} ms and ${mibPerSecond} MiB/s is filled, and the window stays near three times bandwidth × delay`, () => {
    const bytesPerMs = (mibPerSecond * 1024 * 1024) / 1000;
    const { rate, size } = run(delayMs, bytesPerMs, 30);
    assert.ok(rate > 0.9 * bytesPerMs, `only ${rate} of ${bytesPerMs} bytes/ms`);
    const blocks = (bytesPerMs * Math.max(3 * delayMs, 100)) / BLOCK;
    assert.ok(size <= 1.5 * blocks + 32, `${size} requests where ${blocks} would do`);
  });
}

/** Would catch: a path that is long and fast, or says it is, for which requests without number are made. */
test("no more is asked of one peer than may be, whatever its path", () => {
  const { size } = run(1_000, 64 * 1024, 30);
  assert.ok(size <= LIMITS.peerRequests, `${size}`);
  assert.ok(size > LIMITS.peerRequests / 2, "the path was not long enough to tell");
});

test("a peer that owes blocks is noticed, and one that owes none is not", () => {
  const window = new RequestWindow(4);
  assert.equal(window.owingMs(5000), 0);
  window.sent({ piece: 1, block: 2 }, 5000);
  assert.equal(window.owingMs(9000), 4000);
  assert.ok(!window.delivered({ piece: 1, block: 3 }, BLOCK, 9000), "took a block that was not asked for");
  assert.ok(window.delivered({ piece: 1, block: 2 }, BLOCK, 9000));
  assert.equal(window.owingMs(20_000), 0);
});

test("a cancel goes out once, and its block may still come", () => {
  const window = new RequestWindow(4);
  const block = { piece: 0, block: 0 };
  window.sent(block, 0);
  assert.deepEqual([window.cancel(block), window.cancel(block)], [true, false]);
  assert.ok(window.delivered(block, BLOCK, 10));
  assert.ok(!window.cancel(block));
});

// A computer that slept asks a peer again for what it owes, and gets both answers: that is nobody's offence.
test("a block that was asked for twice may be answered twice, and no more", () => {
  const window = new RequestWindow(4);
  const block = { piece: 1, block: 2 };
  window.sent(block, 0);
  window.sent(block, 10_000);
  assert.equal(window.delivered(block, 16_384, 10_001), true);
  assert.equal(window.refused(block), "refused");
  assert.equal(window.delivered(block, 16_384, 10_002), false);
  assert.equal(window.outstandingCount, 0);
});

test("a peer that is slow is waited for on its next path, too, until that one's own times are known", () => {
  const before = new RequestWindow(4);
  before.sent({ piece: 0, block: 0 }, 0);
  before.delivered({ piece: 0, block: 0 }, 16_384, 60_000);
  const next = new RequestWindow(4);
  next.assume(before);
  assert.deepEqual([next.expectedMs, next.size], [120_000, new RequestWindow(4).size]);
  // A path that was never used passes on what it was told.
  const third = new RequestWindow(4);
  third.assume(next);
  assert.equal(third.expectedMs, 120_000);
  next.sent({ piece: 1, block: 0 }, 0);
  next.delivered({ piece: 1, block: 0 }, 16_384, 1000);
  assert.equal(next.expectedMs, 2000);
});

test("whether the peer refused or was told to is known", () => {
  const window = new RequestWindow(4);
  const [kept, cancelled] = [0, 1].map((block) => ({ piece: 0, block }));
  window.sent(kept as Block, 0);
  window.sent(cancelled as Block, 0);
  assert.deepEqual(window.asked(), [kept, cancelled]);
  window.cancel(cancelled as Block);
  assert.deepEqual(
    [kept, cancelled, cancelled].map((block) => window.refused(block as Block)),
    ["refused", "cancelled", undefined],
  );
});
