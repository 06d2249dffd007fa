import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LIMITS } from "../../src/base/limits.ts";
import { AnswerTime } from "../../src/net/answer-time.ts";
import { DATA_FRAME_BYTES, FRAME, frameType, makeFrame, OTHER_FRAME_BYTES } from "../../src/net/frame.ts";
import { Keepalive } from "../../src/net/keepalive.ts";
import { seededRandom } from "../directory/fixtures.ts";
import { ManualClock } from "../support/manual-clock.ts";

interface Way {
  readonly delayMs: number;
  readonly bytesPerMs: number;
}

interface Side {
  readonly keepalive: Keepalive;
  /** A frame that is neither PING nor PONG. */
  send(bytes: number): void;
  /** What its way has not carried yet. */
  readonly queuedBytes: number;
  pings: number;
  deadMs: number | undefined;
}

/** Two keepalives and the line between them: each way has a rate, a queue without end, and a delay. */
class Line {
  readonly clock = new ManualClock();
  readonly near: Side;
  readonly far: Side;
  cut = false;

  constructor(there: Way, back: Way) {
    const random = seededRandom(1);
    const { clock } = this;
    const side = (way: Way, other: () => Side): Side => {
      let freeMs = 0;
      const carry = (bytes: number, arrive: () => void): void => {
        if (this.cut) return;
        const nowMs = this.clock.monotonicMs();
        const beginMs = Math.max(freeMs, nowMs);
        freeMs = beginMs + bytes / way.bytesPerMs;
        // A long frame comes in records, each of which is heard.
        for (let left = bytes - 16_384; left > 0; left -= 16_384)
          this.#after(freeMs - left / way.bytesPerMs + way.delayMs, () => other().keepalive.heard());
        this.#after(freeMs + way.delayMs, arrive);
      };
      const self: Side = {
        get queuedBytes() {
          return Math.max(0, freeMs - clock.monotonicMs()) * way.bytesPerMs;
        },
        pings: 0,
        deadMs: undefined,
        keepalive: new Keepalive(
          {
            send: (frame) => {
              if (frameType(frame) === FRAME.ping) self.pings++;
              carry(frame.length, () => {
                other().keepalive.heard();
                other().keepalive.take(frame);
              });
            },
            onDead: () => {
              self.deadMs ??= this.clock.monotonicMs();
              self.keepalive.stop();
            },
          },
          { clock: this.clock, random },
        ),
        send: (bytes) => {
          carry(bytes, () => {
            other().keepalive.heard();
            other().keepalive.received();
          });
          self.keepalive.sent(bytes);
        },
      };
      return self;
    };
    this.near = side(there, () => this.far);
    this.far = side(back, () => this.near);
    this.near.keepalive.start();
    this.far.keepalive.start();
  }

  #after(atMs: number, arrive: () => void): void {
    this.clock.after(Math.max(0, atMs - this.clock.monotonicMs()), () => {
      if (!this.cut) arrive();
    });
  }

  /** Sends a frame every so often, for a while. */
  async stream(from: Side, bytes: number, everyMs: number, ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += everyMs) {
      from.send(bytes);
      this.clock.advance(everyMs);
    }
    await Promise.resolve();
  }
}

const FAST: Way = { delayMs: 10, bytesPerMs: 100_000 };

test("a neighbour that vanishes while data comes is given up within 2.5 s, and a little for the way", async () => {
  const line = new Line(FAST, FAST);
  line.near.send(OTHER_FRAME_BYTES);
  await line.stream(line.far, DATA_FRAME_BYTES, 5, 3_000);
  line.cut = true;
  line.clock.advance(2_600);
  const { deadMs } = line.near;
  assert.ok(deadMs !== undefined && deadMs >= 3_000 + 2_400 && deadMs <= 3_000 + 2_600, `at ${deadMs} ms`);
});

test("whoever says nothing is asked less and less, and one word makes the haste of the beginning", () => {
  const line = new Line(FAST, FAST);
  line.near.send(OTHER_FRAME_BYTES);
  line.clock.advance(60_000);
  const first = line.near.pings;
  assert.ok(first >= 3 && first <= 6, `${first} PINGs in the first minute`);
  line.clock.advance(10 * 60_000);
  assert.ok(line.near.pings - first <= 21, `${line.near.pings - first} PINGs in ten minutes more`);
  line.cut = true;
  line.clock.advance(1_000);
  line.near.send(OTHER_FRAME_BYTES);
  const sentMs = line.clock.monotonicMs();
  line.clock.advance(2_600);
  assert.ok((line.near.deadMs ?? Infinity) - sentMs <= 2_600);
});

/** Would catch: channels that nobody uses, and that a radio's pause or a computer's sleep ends. */
test("on a channel that nobody uses the neighbour has 20 s to answer", () => {
  const line = new Line(FAST, FAST);
  line.near.send(OTHER_FRAME_BYTES);
  line.clock.advance(10 * 60_000);
  line.cut = true;
  line.clock.advance(LIMITS.channelPongMs);
  assert.deepEqual([line.near.deadMs, line.far.deadMs], [undefined, undefined]);
  line.clock.advance(LIMITS.channelPingMs);
  assert.ok(line.near.deadMs !== undefined && line.far.deadMs !== undefined);
});

/** Would catch: PINGs that are counted for as long as a channel lives, which ends it after an hour in which nobody uses it. */
test("PINGs are bounded in each half minute, not in all", () => {
  const clock = new ManualClock();
  const channel = { send() {}, onDead() {} };
  const keepalive = new Keepalive(channel, { clock, random: seededRandom(1) });
  keepalive.start();
  for (let period = 0; period < 5; period++) {
    for (let pings = 0; pings < LIMITS.channelPings; pings++) keepalive.take(makeFrame(FRAME.ping, 0));
    clock.advance(LIMITS.channelPingMs);
  }
  for (let pings = 0; pings < LIMITS.channelPings; pings++) keepalive.take(makeFrame(FRAME.ping, 0));
  assert.throws(() => keepalive.take(makeFrame(FRAME.ping, 0)), { code: "E_CHANNEL" });
  keepalive.stop();
});

/** Would catch: a line that is asked again with each answer, until the neighbour has had enough and hangs up: here none takes a time that could be measured. */
test("nobody asks more often than the neighbour answers, however quick the line is", () => {
  const clock = new ManualClock();
  const toFar: Buffer[] = [];
  const toNear: Buffer[] = [];
  const side = (out: Buffer[], seed: number): Keepalive =>
    new Keepalive(
      { send: (frame) => void out.push(frame), onDead: (error) => assert.fail(error) },
      { clock, random: seededRandom(seed) },
    );
  const near = side(toFar, 1);
  const far = side(toNear, 2);
  near.start();
  far.start();
  for (let halfSeconds = 0; halfSeconds < 240; halfSeconds++) {
    for (let frames = 0; frames < 100; frames++) {
      near.sent(DATA_FRAME_BYTES);
      for (const frame of toFar.splice(0)) far.take(frame);
      for (const frame of toNear.splice(0)) near.take(frame);
    }
    clock.advance(500);
  }
  near.stop();
  far.stop();
});

/** Would catch: PINGs and PONGs that carry more than they are for (PROTOCOL 5). */
test("a PING or PONG that does not end in zeros ends the channel", () => {
  const keepalive = new Keepalive(
    { send() {}, onDead() {} },
    { clock: new ManualClock(), random: seededRandom(1) },
  );
  keepalive.start();
  for (const type of [FRAME.ping, FRAME.pong]) {
    for (const at of [16, OTHER_FRAME_BYTES - 1]) {
      const frame = makeFrame(type, 0);
      frame[at] = 1;
      assert.throws(() => keepalive.take(frame), { code: "E_CHANNEL", message: /zeros/ });
    }
  }
  keepalive.stop();
});

/** Would catch: a neighbour that is given minutes, because so much was sent to it. */
test("however much was sent before a PING, its answer has 50 s at most", () => {
  const answerTime = new AnswerTime();
  assert.equal(answerTime.patienceMs(2 ** 40), LIMITS.channelPongMs);
  answerTime.answered(100, { askedMs: 0, bytes: 0, isFirst: true });
  assert.ok(answerTime.patienceMs(2 ** 40) <= LIMITS.channelPongMs + LIMITS.channelPingMs);
  assert.ok(
    answerTime.patienceMs(2 ** 22) > LIMITS.channelPingMs,
    "what is on its way over a slow line has its time",
  );
});

/** Would catch: a seeder that has just begun to hand out, whose first burst counts as if it went over the slowest line there may be. */
test("a neighbour that vanishes in the first moments of an upload is given up within 2.5 s, too", async () => {
  for (const beforeMs of [50, 150, 700, 1_400]) {
    const line = new Line(FAST, FAST);
    line.near.send(OTHER_FRAME_BYTES);
    line.clock.advance(100);
    await line.stream(line.near, DATA_FRAME_BYTES, 1, beforeMs);
    line.cut = true;
    // As much as the credits of the circuits allow.
    await line.stream(line.near, DATA_FRAME_BYTES, 0.05, 20);
    line.clock.advance(2_700);
    assert.ok(line.near.deadMs !== undefined, `not after ${beforeMs} ms`);
  }
});

/** Would catch: a seeder on a slow line that loses its guard to its own upload. */
test("an upload over 15 Mbit/s with four seconds of queue is no silence", async () => {
  const adsl: Way = { delayMs: 20, bytesPerMs: 1_900 };
  const line = new Line(adsl, adsl);
  for (let burst = 0; burst < 10; burst++) {
    for (let frames = 0; frames < 120; frames++) line.near.send(DATA_FRAME_BYTES);
    line.clock.advance(4_300);
  }
  assert.equal(line.near.deadMs, undefined);
});

test("a satellite's 600 ms each way are no silence", async () => {
  const satellite: Way = { delayMs: 600, bytesPerMs: 5_000 };
  const line = new Line(satellite, satellite);
  for (let at = 0; at < 60; at++) {
    line.near.send(OTHER_FRAME_BYTES);
    line.clock.advance(at * 100);
  }
  assert.deepEqual([line.near.deadMs, line.far.deadMs], [undefined, undefined]);
});

test("a computer that stood still for ten seconds does not hold it against the neighbour", () => {
  let nowMs = 0;
  const timers: { dueMs: number; run: () => void }[] = [];
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after: (delayMs: number, run: () => void) => {
      const timer = { dueMs: nowMs + delayMs, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
    },
  };
  const runTimers = (): void => {
    for (const timer of timers.splice(0)) {
      if (timer.dueMs <= nowMs) timer.run();
      else timers.push(timer);
    }
  };
  let dead = false;
  const sent: Buffer[] = [];
  const keepalive = new Keepalive(
    { send: (frame) => void sent.push(frame), onDead: () => (dead = true) },
    { clock, random: seededRandom(1) },
  );
  keepalive.start();
  keepalive.sent(OTHER_FRAME_BYTES);
  nowMs = 10;
  keepalive.heard();
  const answer = Buffer.from(sent.at(-1) as Buffer);
  answer[4] = FRAME.pong;
  keepalive.take(answer);
  nowMs = 3_100;
  runTimers();
  assert.equal(sent.length, 2, "the silence was not asked about");
  nowMs = 13_200;
  runTimers();
  assert.equal(dead, false);
  nowMs += 250;
  runTimers();
  assert.equal(dead, true);
});

const way = fc.record({
  delayMs: fc.integer({ min: 0, max: 700 }),
  // From 1 Mbit/s on.
  bytesPerMs: fc.integer({ min: 7, max: 16 }).map((exponent) => 2 ** exponent),
});
const act = fc.record({
  isNear: fc.boolean(),
  isLong: fc.boolean(),
  count: fc.integer({ min: 1, max: 40 }),
  pauseMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 20_000 })),
});

type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** Credits and the kernel's buffers bound what is under way. */
const MOST_QUEUED = 3 * 1024 * 1024;

function play(line: Line, acts: readonly Act[]): void {
  for (const { isNear, isLong, count, pauseMs } of acts) {
    const from = isNear ? line.near : line.far;
    for (let times = 0; times < count && from.queuedBytes < MOST_QUEUED; times++)
      from.send(isLong ? DATA_FRAME_BYTES : OTHER_FRAME_BYTES);
    line.clock.advance(pauseMs);
  }
}

/** Would catch: any traffic over any line of 1 Mbit/s and more that makes one side give up the other, or ask it so often that it hangs up. */
test("in random traffic over random lines nobody is given up, and nobody asks too much", () => {
  fc.assert(
    fc.property(way, way, fc.array(act, { maxLength: 40 }), (there, back, acts) => {
      const line = new Line(there, back);
      play(line, acts);
      line.clock.advance(120_000);
      assert.deepEqual([line.near.deadMs, line.far.deadMs], [undefined, undefined]);
    }),
    { numRuns: 150 },
  );
});

/** Would catch: traffic after which a neighbour that is gone is never noticed. */
test("after random traffic, a neighbour that is gone is given up in time", () => {
  fc.assert(
    fc.property(way, way, fc.array(act, { maxLength: 20 }), (there, back, acts) => {
      const line = new Line(there, back);
      play(line, acts);
      line.cut = true;
      line.clock.advance(2 * (LIMITS.channelPingMs + LIMITS.channelPongMs));
      assert.ok(line.near.deadMs !== undefined && line.far.deadMs !== undefined);
    }),
    { numRuns: 100 },
  );
});
