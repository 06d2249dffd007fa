import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { SpliceTotal } from "../../src/tunnel/splice.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { Steps, streamPair, type MemoryStream } from "./memory-streams.ts";

const WINDOW = 128;

/** A seeder that sends `frames` as the window allows, and a downloader that takes them or does not. */
function splicedPair(
  total: SpliceTotal,
  steps: Steps,
  options: { frames: number; stalls?: boolean; window?: number },
) {
  const state = { received: [] as number[], ended: 0, done: 0, sent: 0 };
  const [downloader, gateDown] = streamPair(steps, options.window ?? WINDOW);
  const [gateUp, seeder] = streamPair(steps, options.window ?? WINDOW);
  const splice = total.splice(() => state.done++);
  gateDown.start(splice.downloaderSide);
  gateUp.start(splice.seederSide);
  splice.join(gateDown, gateUp);
  const sendMore = (): void => {
    while (state.sent < options.frames && seeder.sendWindow > 0) {
      const payload = Buffer.alloc(100);
      payload.writeUInt32BE(state.sent++);
      seeder.send(payload);
    }
  };
  seeder.start({ onData: () => seeder.consumed(1), onWindow: sendMore, onEnd: () => state.ended++ });
  downloader.start({
    onData: (payload) => {
      state.received.push(payload.readUInt32BE(0));
      if (options.stalls !== true) downloader.consumed(1);
    },
    onWindow: () => {},
    onEnd: () => state.ended++,
  });
  return { state, sendMore, splice, downloader, seeder, gateDown, gateUp };
}

const inOrder = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test("payloads pass unchanged and in order, far beyond the window", () => {
  const steps = new Steps();
  const pair = splicedPair(new SpliceTotal(new ManualClock()), steps, { frames: 1_000 });
  pair.sendMore();
  steps.run();
  assert.deepEqual(pair.state.received, inOrder(1_000));
  assert.equal(pair.splice.waiting, 0);
});

test("of ten downloaders on one gate one stalls: the others need not one step more, and the gate holds one window", () => {
  const stepsOfOthers = (stalls: boolean): number => {
    const steps = new Steps();
    const total = new SpliceTotal(new ManualClock());
    const pairs = inOrder(10).map((index) =>
      splicedPair(total, steps, { frames: 2_000, stalls: stalls && index === 3 }),
    );
    for (const pair of pairs) pair.sendMore();
    const others = pairs.filter((_, index) => index !== 3);
    let needed = 0;
    while (others.some((pair) => pair.state.received.length < 2_000)) {
      assert.equal(steps.run(1), 1, "everything stopped before the others were done");
      needed++;
      if (needed % 100 === 0)
        assert.ok(total.waiting <= WINDOW, `${total.waiting} payloads wait at the gate`);
    }
    if (stalls) {
      assert.equal(pairs[3]?.state.received.length, WINDOW);
      assert.equal(total.waiting, WINDOW);
      assert.equal(pairs[3]?.seeder.sendWindow, 0, "the stalled tunnel's seeder was granted more");
    }
    return needed;
  };
  assert.ok(stepsOfOthers(true) <= stepsOfOthers(false));
});

test("a seeder that ignores the window it was granted loses that tunnel only", () => {
  const steps = new Steps();
  const total = new SpliceTotal(new ManualClock());
  const rude = splicedPair(total, steps, { frames: 0, stalls: true });
  const honest = splicedPair(total, steps, { frames: 500 });
  honest.sendMore();
  rude.seeder.sendWindow = Infinity;
  for (let sent = 0; sent < 1_000; sent++) rude.seeder.send(Buffer.alloc(10));
  steps.run();
  assert.deepEqual([rude.state.done, rude.state.ended, rude.splice.waiting <= WINDOW + 1], [1, 2, true]);
  assert.equal(honest.state.done, 0);
  assert.equal(honest.state.received.length, 500);
});

test("over the bound of all tunnels together the longest queue's tunnel is closed, and the memory stays bounded", () => {
  const steps = new Steps();
  const total = new SpliceTotal(new ManualClock());
  const count = LIMITS.gateQueuedFrames / WINDOW + 4;
  const pairs = inOrder(count).map(() => splicedPair(total, steps, { frames: 2 * WINDOW, stalls: true }));
  for (const pair of pairs) {
    pair.sendMore();
    steps.run();
    assert.ok(total.waiting <= LIMITS.gateQueuedFrames);
  }
  assert.equal(pairs.filter((pair) => pair.state.done === 1).length, 4);
  assert.equal(total.tunnels, count - 4);
});

test("END passes through in both directions, after what was sent before it", () => {
  for (const who of ["seeder", "downloader"] as const) {
    const steps = new Steps();
    const total = new SpliceTotal(new ManualClock());
    const pair = splicedPair(total, steps, { frames: 50 });
    pair.sendMore();
    pair[who].end();
    steps.run();
    assert.equal(pair.state.ended, 2, who);
    assert.equal(total.tunnels, 0);
    if (who === "seeder") assert.equal(pair.state.received.length, 50);
  }
});

test("after END the rest goes out as the window allows, and no longer than the linger", () => {
  const clock = new ManualClock();
  const steps = new Steps();
  const total = new SpliceTotal(clock);
  const held = (): ReturnType<typeof splicedPair> => {
    const pair = splicedPair(total, steps, { frames: 2 * WINDOW, stalls: true });
    pair.sendMore();
    steps.run();
    pair.seeder.end();
    steps.run();
    assert.equal(pair.state.received.length, WINDOW);
    return pair;
  };
  const resumed = held();
  resumed.downloader.consumed(WINDOW);
  steps.run();
  assert.deepEqual(resumed.state.received, inOrder(2 * WINDOW));
  assert.equal(resumed.state.ended, 2);
  const never = held();
  clock.advance(LIMITS.gateLingerMs);
  steps.run();
  assert.equal(never.state.ended, 2);
  assert.equal(total.waiting, 0);
  assert.equal(clock.timerCount, 0);
});

test("a circuit that breaks ends the other side at once", () => {
  const steps = new Steps();
  const total = new SpliceTotal(new ManualClock());
  const pair = splicedPair(total, steps, { frames: 2 * WINDOW, stalls: true });
  pair.sendMore();
  steps.run();
  const broken: MemoryStream = pair.gateUp;
  broken.fail(new BackroomError("E_TUNNEL", "gone"));
  steps.run();
  assert.equal(pair.downloader.ended, true);
  assert.equal(total.tunnels, 0);
});

test("what a downloader sends before the seeder's stream is there waits for it", () => {
  const steps = new Steps();
  const total = new SpliceTotal(new ManualClock());
  const [downloader, gateDown] = streamPair(steps);
  const [gateUp, seeder] = streamPair(steps);
  const splice = total.splice(() => {});
  gateDown.start(splice.downloaderSide);
  gateUp.start(splice.seederSide);
  const got: string[] = [];
  seeder.start({ onData: (payload) => got.push(payload.toString()), onWindow() {}, onEnd() {} });
  downloader.send(Buffer.from("early"));
  steps.run();
  splice.join(gateDown, gateUp);
  steps.run();
  assert.deepEqual(got, ["early"]);
});
