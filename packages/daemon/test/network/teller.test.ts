import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { createTeller } from "../../src/network/teller.ts";

function newTeller(options: { slow?: boolean } = {}) {
  const clock = new ManualClock();
  const world = {
    state: { count: 0, ageMs: 0 },
    isLive: false,
    told: [] as number[],
    reads: 0,
    isBroken: false,
  };
  const teller = createTeller({
    clock,
    everyMs: 1000,
    async read() {
      world.reads++;
      if (world.isBroken) throw new Error("unreadable");
      if (options.slow === true) await settle();
      return { ...world.state };
    },
    essenceOf: ({ count }) => count,
    isLive: () => world.isLive,
    tell: ({ count }) => void world.told.push(count),
  });
  return { clock, world, teller };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Would catch: an event at each tick, or for an age. */
test("a state is told once, and again when what matters is different", async () => {
  const { world, teller } = newTeller();
  for (const state of [
    { count: 1, ageMs: 0 },
    { count: 1, ageMs: 5 },
    { count: 2, ageMs: 5 },
  ]) {
    world.state = state;
    teller.look();
    await settle();
  }
  assert.deepEqual(world.told, [1, 2]);
});

/** Would catch: an idle daemon that wakes up all the time. */
test("it looks by itself only while something lives", async () => {
  const { clock, world, teller } = newTeller();
  teller.look();
  await settle();
  assert.equal(clock.timerCount, 0);
  world.isLive = true;
  teller.look();
  await settle();
  world.state = { count: 7, ageMs: 0 };
  clock.advance(1000);
  await settle();
  assert.deepEqual(world.told, [0, 7]);
  world.isLive = false;
  clock.advance(1000);
  await settle();
  assert.equal(clock.timerCount, 0);
  world.isLive = true;
  teller.look();
  await settle();
  teller.close();
  assert.equal(clock.timerCount, 0);
});

/** Would catch: news that came while an older state was being read, and is never told. */
test("what changes while the state is being read is told too, and a state that cannot be read ends nothing", async () => {
  const { world, teller } = newTeller({ slow: true });
  teller.look();
  world.state = { count: 1, ageMs: 0 };
  teller.look();
  teller.look();
  for (let turn = 0; turn < 5; turn++) await settle();
  assert.equal(world.told.at(-1), 1);
  assert.ok(world.reads <= 3);
  world.isBroken = true;
  teller.look();
  await settle();
  world.isBroken = false;
  world.state = { count: 2, ageMs: 0 };
  teller.look();
  for (let turn = 0; turn < 5; turn++) await settle();
  assert.equal(world.told.at(-1), 2);
});
