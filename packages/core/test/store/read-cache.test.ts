import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadCache } from "../../src/store/read-cache.ts";

function counted(windows: number): { cache: ReadCache; loads: number[] } {
  const loads: number[] = [];
  const cache = new ReadCache(100, windows, async (offset) => {
    loads.push(offset);
    return Buffer.from([offset / 100]);
  });
  return { cache, loads };
}

test("a window is loaded once, also for reads at the same time, and its place is bounded", async () => {
  const { cache, loads } = counted(2);
  assert.equal(cache.holds(50), false);
  await Promise.all([cache.window(5), cache.window(99)]);
  assert.ok(cache.holds(50) && !cache.holds(100));
  await cache.window(100);
  assert.deepEqual(loads, [0, 100]);
  await cache.window(50);
  await cache.window(200);
  await cache.window(0);
  assert.deepEqual(loads, [0, 100, 200], "the window used last was dropped");
  await cache.window(100);
  assert.deepEqual(loads, [0, 100, 200, 100], "more windows are held than allowed");
});

test("dropped windows are loaded anew: otherwise a piece fetched again would be served with its old bytes", async () => {
  const { cache, loads } = counted(8);
  for (const offset of [0, 100, 200, 300]) await cache.window(offset);
  cache.drop(100, 150);
  for (const offset of [0, 100, 200, 300]) await cache.window(offset);
  assert.deepEqual(loads, [0, 100, 200, 300, 100, 200]);
});

test("a load that failed is tried again by the next read", async () => {
  let broken = true;
  const cache = new ReadCache(100, 2, async () => {
    if (broken) throw new Error("broken");
    return Buffer.from([1]);
  });
  await assert.rejects(cache.window(0));
  broken = false;
  assert.deepEqual(await cache.window(0), Buffer.from([1]));
});
