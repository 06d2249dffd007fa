import assert from "node:assert/strict";
import { test } from "node:test";
import { Suspects } from "../../src/node/suspects.ts";
import { ManualClock } from "../support/manual-clock.ts";

const path = (...keys: string[]) => keys.map((key) => ({ key }));

/** Would catch: one gate that kills circuits and so makes a member show itself through all its guards. */
test("a guard is suspected only when circuits to three different last hops were lost behind it", () => {
  const suspects = new Suspects(new ManualClock());
  for (let times = 0; times < 10; times++) suspects.noteLost(path("guard", `second ${times}`, "gate"));
  suspects.noteLost(path("guard", "second", "scout"));
  suspects.noteLost(path("other guard", "second", "gate 2"));
  assert.deepEqual([...suspects.lossyGuards()], []);
  suspects.noteLost(path("guard", "second", "scout 2"));
  assert.deepEqual([...suspects.lossyGuards()], ["guard"]);
});

test("what was lost long ago does not count, and every hop behind the guard is doubted for a while", () => {
  const clock = new ManualClock();
  const suspects = new Suspects(clock);
  suspects.noteLost(path("guard", "second", "a"));
  assert.deepEqual([...suspects.doubted()], ["second", "a"]);
  suspects.noteLost(path("guard", "second", "b"));
  clock.advance(61_000);
  assert.deepEqual([...suspects.doubted()], []);
  clock.advance(5 * 60_000);
  suspects.noteLost(path("guard", "second", "c"));
  assert.deepEqual([...suspects.lossyGuards()], []);
});
