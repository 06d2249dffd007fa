import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns, type Turn } from "../../src/engine/turns.ts";

const signal = new AbortController().signal;
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function waiting(most: number) {
  const state = { most, waits: 0 };
  const turns = new Turns(() => state.most);
  const got: (Turn | undefined)[] = [];
  const take = (stop = signal): void =>
    void turns.take(stop, () => state.waits++).then((turn) => got.push(turn));
  return { turns, state, got, take };
}

test("as many have a turn as may, the others in the order in which they came", async () => {
  const { state, got, take } = waiting(2);
  for (let count = 0; count < 4; count++) take();
  await soon();
  assert.deepEqual([got.length, state.waits], [2, 2]);
  got[0]?.end();
  got[0]?.end();
  await soon();
  assert.equal(got.length, 3, "one that ends twice makes room once");
});

test("who stops waiting leaves the line to the others", async () => {
  const { got, take } = waiting(1);
  const stop = new AbortController();
  take();
  take(stop.signal);
  take();
  stop.abort();
  await soon();
  assert.deepEqual([got.length, got[1]], [2, undefined]);
  got[0]?.end();
  await soon();
  assert.notEqual(got[2], undefined);
});

/** Would catch: a download that waits for a seeder for weeks and keeps all others from beginning. */
test("who gives way lets another one begin, and goes on whenever it can", async () => {
  const { got, take } = waiting(1);
  take();
  take();
  await soon();
  got[0]?.giveWay();
  await soon();
  assert.equal(got.length, 2);
  got[0]?.resume();
  take();
  got[1]?.end();
  await soon();
  assert.equal(got.length, 2, "the first one counts again");
  got[0]?.end();
  await soon();
  assert.equal(got.length, 3);
});

test("a higher bound lets in who waits", async () => {
  const { turns, state, got, take } = waiting(1);
  for (let count = 0; count < 3; count++) take();
  await soon();
  state.most = 3;
  turns.look();
  await soon();
  assert.equal(got.length, 3);
});
