import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../src/base/clock.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { HandshakeQueue } from "../../src/circuit/handshake-queue.ts";
import { ManualClock } from "../support/manual-clock.ts";

function newQueue(ownClock?: Clock) {
  const clock = new ManualClock();
  const queue = new HandshakeQueue(ownClock ?? clock);
  const served: string[] = [];
  const refused: string[] = [];
  const offer = (neighbour: object, name: string, isGone = () => false): void =>
    queue.offer(neighbour, {
      get gone() {
        return isGone();
      },
      serve: () => void served.push(name),
      refuse: () => void refused.push(name),
    });
  /** Takes all the time there is. */
  const exhaust = (): void => {
    for (let count = 0; count < LIMITS.handshakeBurstTotal; count++) offer({}, "first");
    assert.equal(served.splice(0).length, LIMITS.handshakeBurstTotal);
  };
  return { clock, queue, served, refused, offer, exhaust };
}

test("while there is time handshakes are served at once, and then so many a second", () => {
  const { clock, queue, served, offer, exhaust } = newQueue();
  exhaust();
  for (let index = 0; index < LIMITS.handshakesWaiting; index++) offer({}, "late");
  assert.equal(served.length, 0);
  clock.advance(500);
  assert.ok(
    Math.abs(served.length - LIMITS.handshakesPerSecondTotal / 2) <= 3,
    `${served.length} in half a second`,
  );
  clock.advance(2_000);
  assert.deepEqual([queue.waiting, served.length], [0, LIMITS.handshakesWaiting]);
  assert.equal(clock.timerCount, 0);
});

/** Would catch: one neighbour, or a few, whose flood makes everybody else wait behind it. */
test("neighbours take turns: who asks once is served next, however much others have waiting", () => {
  const { clock, served, offer, exhaust } = newQueue();
  exhaust();
  const flooders = [{}, {}, {}];
  for (const [index, flooder] of flooders.entries()) {
    for (let count = 0; count < LIMITS.handshakesWaitingPerChannel; count++) offer(flooder, `flood ${index}`);
  }
  offer({}, "honest");
  clock.advance(30);
  assert.ok(served.indexOf("honest") >= 0 && served.indexOf("honest") < 4 + 1, served.join());
});

test("a neighbour's share of the queue is bounded, and so is the queue; the longest share gives way", () => {
  const { queue, refused, offer, exhaust } = newQueue();
  exhaust();
  const most = LIMITS.handshakesWaitingPerChannel;
  const first = {};
  for (let count = 0; count < most + 5; count++) offer(first, "flood");
  assert.deepEqual([queue.waiting, refused.splice(0).length], [most, 5]);
  queue.close();
  const flooders = Array.from({ length: LIMITS.handshakesWaiting / most }, () => ({}));
  for (const flooder of flooders) for (let count = 0; count <= most; count++) offer(flooder, "flood");
  assert.equal(refused.length, flooders.length);
  assert.equal(queue.waiting, LIMITS.handshakesWaiting);
  offer({}, "honest");
  assert.deepEqual(
    [queue.waiting, refused.length, refused.includes("honest")],
    [LIMITS.handshakesWaiting, flooders.length + 1, false],
  );
});

test("whose circuit is gone costs nothing, and whoever waited too long is refused", () => {
  const { clock, served, refused, offer, exhaust } = newQueue();
  exhaust();
  let gone = false;
  const leaver = {};
  for (let count = 0; count < LIMITS.handshakesWaitingPerChannel; count++) offer(leaver, "gone", () => gone);
  gone = true;
  offer({}, "honest");
  clock.advance(20);
  assert.deepEqual([served, refused], [["honest"], []]);
});

/** Would catch: a relay that comes back from a pause and spends it on circuits that their clients have given up. */
test("one that is older than its client's patience is refused, not served", () => {
  const clock = new ManualClock();
  let pausedMs = 0;
  const monotonicMs = (): number => clock.monotonicMs() + pausedMs;
  const { queue, served, refused, offer, exhaust } = newQueue({
    nowMs: () => clock.nowMs(),
    monotonicMs,
    after: (delayMs, run) => clock.after(delayMs, run),
  });
  exhaust();
  for (let count = 0; count < 3; count++) offer({}, "old");
  pausedMs = LIMITS.handshakeWaitMs;
  clock.advance(10);
  assert.deepEqual([served.length, refused.length, queue.waiting], [0, 3, 0]);
});

test("a closed queue serves nobody and counts no time", () => {
  const { clock, queue, served, offer, exhaust } = newQueue();
  exhaust();
  offer({}, "late");
  queue.close();
  clock.advance(1_000);
  assert.deepEqual([served.length, clock.timerCount], [0, 0]);
});
