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

/** Would catch: a relay that is slow once and left out for a minute, though it joined; a doubt that ends with somebody else's wait. */
test("a path that is waited for is suspected until it comes up, and what is suspected for another reason stays so", () => {
  const suspects = new Suspects(new ManualClock());
  suspects.note(path("guard", "b", "other"), 2);
  const comesUp = suspects.wait(path("guard", "a", "c"), 1);
  const goesOn = suspects.wait(path("guard", "b", "c"), 2);
  assert.deepEqual([...suspects.missing()], ["other", "a", "c"]);
  assert.deepEqual([...suspects.doubted()], ["b"]);
  comesUp();
  assert.deepEqual([...suspects.missing()], ["other", "c"]);
  goesOn();
  assert.deepEqual([...suspects.missing()], ["other"]);
  assert.deepEqual([...suspects.doubted()], ["b"]);
});
