import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CreditPool } from "../../src/circuit/credit-pool.ts";
import { CreditWindow } from "../../src/circuit/credit-window.ts";
import { ManualClock } from "../support/manual-clock.ts";

const SHAPE = { first: 32, used: 40, least: 8, most: 512, batch: 16 };

function windowIn(pool: CreditPool): { window: CreditWindow; clock: ManualClock } {
  const clock = new ManualClock();
  return { window: new CreditWindow(SHAPE, { clock, section: pool.section() }), clock };
}

/**
 * A sender that always has something, a line of fixed delay and rate, and a receiver that releases at once. Gives the frames of the last
 * second and the window at the end.
 */
function run(framesPerMs: number, oneWayMs: number, seconds: number, pool = new CreditPool(4_096)) {
  const { window, clock } = windowIn(pool);
  const arrivals: number[] = [];
  const grants: { atMs: number; frames: number }[] = [];
  let credit = SHAPE.first;
  let lineFreeMs = 0;
  let lastSecond = 0;
  let most = 0;
  for (let nowMs = 0; nowMs < seconds * 1_000; nowMs++) {
    clock.advance(1);
    while (grants[0] !== undefined && grants[0].atMs <= nowMs) credit += grants.shift()?.frames ?? 0;
    for (; credit > 0 && lineFreeMs <= nowMs; credit--) {
      lineFreeMs = Math.max(lineFreeMs, nowMs - 1) + 1 / framesPerMs;
      arrivals.push(lineFreeMs + oneWayMs);
    }
    while (arrivals[0] !== undefined && arrivals[0] <= nowMs) {
      arrivals.shift();
      assert.ok(window.take());
      window.release(1);
      if (nowMs >= (seconds - 1) * 1_000) lastSecond++;
      if (window.due) grants.push({ atMs: nowMs + oneWayMs, frames: window.grant() });
    }
    most = Math.max(most, window.outstanding);
  }
  return { lastSecond, most };
}

for (const [framesPerMs, oneWayMs] of [
  [0.76, 60],
  [0.76, 150],
  [3, 20],
  [0.05, 60],
] as const) {
  const pathFrames = framesPerMs * 2 * oneWayMs;
  test(`a path of ${framesPerMs} frames/ms and ${2 * oneWayMs} ms there and back is filled, and the window stays in bounds`, () => {
    const { lastSecond, most } = run(framesPerMs, oneWayMs, 8);
    assert.ok(lastSecond >= 0.97 * framesPerMs * 1_000, `${lastSecond} frames in the last second`);
    assert.ok(
      most <= Math.max(3.5 * pathFrames, 3 * SHAPE.first),
      `${most} frames granted for ${pathFrames}`,
    );
  });
}

test("a path that wants more than may be granted stops at the bound, and one with an empty pool where it began", () => {
  assert.ok(run(10, 150, 5).most <= SHAPE.most);
  assert.equal(run(0.76, 60, 5, new CreditPool(0)).most, SHAPE.first);
});

/** Would catch: a short line whose window stays where it began, so that each turn of the event loop handles a frame or two; room that is taken where there is none. */
test("a window that is used rises a little however short its path is, as far as the pool has room and not too much waits", () => {
  const useUp = (window: CreditWindow): void => {
    while (window.take()) window.release(1);
    window.grant();
  };
  const risenTo = (pool: CreditPool): number => {
    const { window } = windowIn(pool);
    for (let turn = 0; turn < 20; turn++) useUp(window);
    return window.outstanding;
  };
  assert.equal(risenTo(new CreditPool(4_096)), SHAPE.used);
  // Half of a pool is for who needs it.
  const crowd = new CreditPool(20);
  const all = Array.from({ length: 6 }, () => windowIn(crowd).window);
  for (let turn = 0; turn < 20; turn++) for (const window of all) useUp(window);
  assert.ok(
    crowd.free >= 10 - (SHAPE.used - SHAPE.first) && crowd.free <= 12,
    `${crowd.free} of 20 are free`,
  );
  assert.equal(risenTo(new CreditPool(0)), SHAPE.first);
  assert.equal(risenTo(new CreditPool(4_096, () => 1)), SHAPE.least);
});

test("frames that nobody releases bring no grants: a reader that stalls costs what was granted by then", () => {
  const { window, clock } = windowIn(new CreditPool(4_096));
  for (let frame = 0; frame < SHAPE.first; frame++) assert.ok(window.take());
  clock.advance(60_000);
  assert.deepEqual([window.take(), window.due, window.grant(), window.held], [false, false, 0, SHAPE.first]);
});

test("a window that grew shrinks to the rate it has now, by not being granted again", () => {
  const pool = new CreditPool(4_096);
  const { window, clock } = windowIn(pool);
  const consume = (perStep: number, steps: number, stepMs: number): void => {
    for (let step = 0; step < steps; step++) {
      clock.advance(stepMs);
      for (let frame = 0; frame < perStep && window.take(); frame++) window.release(1);
      window.grant();
    }
  };
  consume(64, 60, 100);
  const grown = window.outstanding;
  assert.ok(grown > 2 * SHAPE.first, `only ${grown}`);
  consume(8, 120, 100);
  assert.ok(window.outstanding <= SHAPE.first + 8, `${window.outstanding} after slowing down`);
  assert.ok(pool.free >= 4_096 - 8);
  window.close();
  assert.equal(pool.free, 4_096);
});

test("any mixture of arrivals, releases, grants and time: counts add up, and no bound is passed", () => {
  const step = fc.record({
    who: fc.nat(2),
    take: fc.nat(60),
    release: fc.nat(60),
    grant: fc.boolean(),
    afterMs: fc.nat(500),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const pool = new CreditPool(300);
      const clock = new ManualClock();
      const senders = [0, 1, 2].map(() => ({
        window: new CreditWindow(SHAPE, { clock, section: pool.section() }),
        credit: SHAPE.first,
        held: 0,
      }));
      for (const { who, take, release, grant, afterMs } of steps) {
        clock.advance(afterMs);
        const sender = senders[who] as (typeof senders)[0];
        for (let frame = 0; frame < take; frame++) {
          assert.equal(
            sender.window.take(),
            sender.credit > 0,
            "what was granted may come, and nothing else",
          );
          if (sender.credit === 0) break;
          sender.credit--;
          sender.held++;
        }
        const released = Math.min(release, sender.held);
        sender.window.release(released);
        sender.held -= released;
        if (grant) {
          const granted = sender.window.grant();
          assert.ok(granted >= 0);
          sender.credit += granted;
        }
        assert.equal(sender.window.held, sender.held);
        assert.equal(sender.window.outstanding, sender.credit + sender.held);
        assert.ok(sender.window.outstanding <= SHAPE.most);
      }
      // Nobody idled for so long that its part was lent, or else it may be overdrawn by that part.
      const excess = senders.reduce(
        (sum, { window }) => sum + Math.max(0, window.outstanding - SHAPE.first),
        0,
      );
      assert.ok(excess <= 2 * 300, `${excess} frames out of a pool of 300`);
      for (const { window } of senders) window.close();
      assert.equal(pool.free, 300);
    }),
  );
});
