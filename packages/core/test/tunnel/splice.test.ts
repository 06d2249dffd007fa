import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { SpliceTotal } from "../../src/tunnel/splice-total.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { Steps, streamPair, type MemoryStream } from "./memory-streams.ts";
import { inOrder } from "../support/in-order.ts";

const WINDOW = 128;

/** A seeder that sends `frames` as the window allows, and a downloader that takes them or does not. */
function splicedPair(
  total: SpliceTotal,
  steps: Steps,
  options: { frames: number; stalls?: boolean; window?: number; seeder?: object },
) {
  const state = { received: [] as number[], ended: 0, done: 0, sent: 0 };
  const [downloader, gateDown] = streamPair(steps, options.window ?? WINDOW);
  const [gateUp, seeder] = streamPair(steps, options.window ?? WINDOW);
  const splice = total.splice(() => state.done++, options.seeder);
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
  for (let sent = 0; sent < 2 * LIMITS.streamFramesMost; sent++) rude.seeder.send(Buffer.alloc(10));
  steps.run();
  assert.deepEqual([rude.state.done, rude.state.ended], [1, 2]);
  assert.ok(rude.splice.waiting <= LIMITS.streamFramesMost + 1);
  assert.equal(honest.state.done, 0);
  assert.equal(honest.state.received.length, 500);
});

test("over the bound of all tunnels together tunnels are closed, and the memory stays bounded", () => {
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

/** A gate to which tunnels come that have no end. */
function crowd(clock: ManualClock) {
  const steps = new Steps();
  const total = new SpliceTotal(clock);
  const open = (seeder: object, stalls: boolean, frames = 1_000) => {
    const pair = splicedPair(total, steps, { frames, stalls, seeder });
    pair.sendMore();
    return pair;
  };
  return { steps, total, open };
}

/** Would catch: an honest tunnel with a long queue on a slow line that goes instead of one whose other end never reads. */
test("when a gate's queues are full, whoever has stalled longest goes, not whoever holds most", () => {
  const clock = new ManualClock();
  const { steps, total, open } = crowd(clock);
  const stalled = inOrder(LIMITS.gateQueuedFrames / WINDOW - 1).map((index) => open({ index }, true));
  steps.run();
  assert.equal(total.waiting, LIMITS.gateQueuedFrames - WINDOW);
  clock.advance(LIMITS.gateStallMs);
  const slow = splicedPair(total, steps, { frames: 1_000, stalls: true, seeder: {} });
  slow.sendMore();
  steps.run();
  for (let turn = 0; turn < 3; turn++) {
    // It reads on, a little; its queue is as long as any.
    clock.advance(1_000);
    slow.downloader.consumed(8);
    steps.run();
  }
  const late = open({}, true);
  steps.run();
  assert.deepEqual([slow.state.done, late.state.done], [0, 0]);
  assert.equal(stalled.filter(({ state }) => state.done === 1).length, 1);
  assert.ok(total.waiting <= LIMITS.gateQueuedFrames);
});

/** Would catch: a share with thousands of frames waiting that makes others lose their tunnels. */
test("where nobody has stalled for long, the seeder that holds most loses, and its worst tunnel first", () => {
  const clock = new ManualClock();
  const { steps, open } = crowd(clock);
  const small = open({}, true);
  steps.run();
  clock.advance(1_000);
  const greedy = {};
  const many = inOrder(LIMITS.gateQueuedFrames / WINDOW).map(() => open(greedy, true));
  steps.run();
  assert.equal(small.state.done, 0);
  assert.equal(many.filter(({ state }) => state.done === 1).length, 1);
});

/** Would catch: 64 tunnels that do nothing and keep everybody else from a seeder. */
test("a full seeder's idle tunnels give way, busy ones only after their time and only to who paid, the slowest first", () => {
  const clock = new ManualClock();
  const { steps, total, open } = crowd(clock);
  const seeder = {};
  const idle = open(seeder, true);
  const slow = open(seeder, true);
  const others = inOrder(LIMITS.gateTunnelsPerSeeder - 2).map(() => open(seeder, false, 20));
  steps.run();
  const live = (ms: number): void => {
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advance(1_000);
      slow.downloader.consumed(1);
      for (let turn = 0; turn < 3; turn++) {
        for (const { seeder: far } of others) far.send(Buffer.alloc(4));
        steps.run();
      }
    }
  };
  assert.equal(total.makePlace(seeder, true), false, "a tunnel went before anybody knew what it is worth");
  live(LIMITS.gateIdleMs);
  assert.equal(total.makePlace(seeder, false), false, "a tunnel went too soon for somebody who did nothing");
  live(LIMITS.gateStallMs);
  assert.ok(total.makePlace(seeder, false));
  assert.deepEqual([idle.state.done, slow.state.done], [1, 0]);
  others.push(open(seeder, false, 20));
  assert.equal(total.makePlace(seeder, true), false, "a busy tunnel went before its time");
  live(LIMITS.gateTenureMs);
  assert.equal(total.makePlace(seeder, false), false, "a busy tunnel went for nothing");
  assert.ok(total.makePlace(seeder, true));
  assert.equal(slow.state.done, 1);
  assert.ok(others.every(({ state }) => state.done === 0));
});

/** Would catch: whoever works for a tunnel and waits for seconds behind others that do nothing. */
test("for a newcomer that did work an idle tunnel gives way sooner", () => {
  const clock = new ManualClock();
  const { steps, total, open } = crowd(clock);
  const seeder = {};
  const idle = inOrder(LIMITS.gateTunnelsPerSeeder).map(() => open(seeder, true, 4));
  steps.run();
  clock.advance(LIMITS.gateIdleMs);
  assert.equal(total.makePlace(seeder, false), false);
  assert.ok(total.makePlace(seeder, true));
  assert.equal(idle.filter(({ state }) => state.done === 1).length, 1);
});

/** Would catch: a seeder with hundreds of tunnels, each busy, that leaves no place at the gate for others. */
test("a full gate takes from the seeder that has most, and never for that seeder", () => {
  const clock = new ManualClock();
  const { steps, total } = crowd(clock);
  const seeders = inOrder(LIMITS.gateTunnels / LIMITS.gateTunnelsPerSeeder);
  const names = seeders.map((index) => ({ index }));
  const busy = names.flatMap((seeder) =>
    inOrder(LIMITS.gateTunnelsPerSeeder).map(() => splicedPair(total, steps, { frames: 10, seeder })),
  );
  clock.advance(LIMITS.gateTenureMs);
  for (const pair of busy) {
    // Each passes something: none is idle.
    pair.seeder.send(Buffer.alloc(4));
  }
  steps.run();
  assert.equal(total.tunnels, LIMITS.gateTunnels);
  assert.equal(total.makePlace({}, false), false);
  assert.ok(total.makePlace({}, true));
  assert.equal(total.tunnels, LIMITS.gateTunnels - 1);
});

/** Would catch: a gate that holds a window's worth for everybody who waits for a tunnel. */
test("before its tunnel is joined a downloader leaves its handshake and no more", () => {
  const steps = new Steps();
  const total = new SpliceTotal(new ManualClock());
  const [downloader, gateDown] = streamPair(steps);
  const splice = total.splice(() => {});
  gateDown.start(splice.downloaderSide);
  for (let sent = 0; sent <= LIMITS.gateEarlyFrames; sent++) downloader.send(Buffer.alloc(10));
  steps.run(LIMITS.gateEarlyFrames);
  assert.deepEqual([splice.done, total.waiting], [false, LIMITS.gateEarlyFrames]);
  steps.run();
  assert.deepEqual([splice.done, total.waiting], [true, 0]);
});

/** Would catch: memory that grows with the downloaders that ever came, or queues that are counted wrongly when tunnels go. */
test("10,000 downloaders that come and stall hold no more at a gate than it planned for", () => {
  const clock = new ManualClock();
  const { steps, total } = crowd(clock);
  const seeders = inOrder(40).map((index) => ({ index }));
  let admitted = 0;
  let most = { tunnels: 0, waiting: 0 };
  for (let count = 0; count < 10_000; count++) {
    clock.advance(LIMITS.gateStallMs / 1_000);
    const seeder = seeders[count % seeders.length] as object;
    if (!total.makePlace(seeder, false)) continue;
    admitted++;
    splicedPair(total, steps, { frames: 12, stalls: true, window: 4, seeder }).sendMore();
    steps.run();
    most = { tunnels: Math.max(most.tunnels, total.tunnels), waiting: Math.max(most.waiting, total.waiting) };
  }
  assert.ok(admitted > 5_000, `${admitted} got a place`);
  assert.ok(
    most.tunnels <= LIMITS.gateTunnels && most.waiting <= LIMITS.gateQueuedFrames,
    JSON.stringify(most),
  );
  assert.ok(most.waiting > 0.75 * LIMITS.gateQueuedFrames, "the queues were never full");
});
