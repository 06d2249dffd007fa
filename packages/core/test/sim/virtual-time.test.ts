import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { test } from "node:test";
import { VirtualTime } from "../../../../scripts/sim/virtual-time.ts";

test("what an event sets off, promises and turns of the event loop, happens before time moves", async () => {
  const time = new VirtualTime();
  const seen: string[] = [];
  time.after(5, () => {
    void (async () => {
      await Promise.resolve();
      // As proof of work does: several turns, in which time must stand still.
      for (let turn = 0; turn < 4; turn++) await nextTurn();
      seen.push(`chain at ${time.monotonicMs()}`);
    })();
  });
  time.after(6, () => seen.push(`next at ${time.monotonicMs()}`));
  await time.runUntil(10);
  assert.deepEqual(seen, ["chain at 5", "next at 6"]);
  assert.equal(time.monotonicMs(), 10);
});

test("events run by time, those of one time in the order in which they were set, and cancelled ones never", async () => {
  const time = new VirtualTime();
  const seen: number[] = [];
  for (const [index, dueMs] of [7, 3, 7, 1, 3].entries()) time.after(dueMs, () => seen.push(index));
  const cancel = time.after(2, () => seen.push(99));
  cancel();
  cancel();
  time.after(3, () => time.after(0, () => seen.push(5)));
  await time.runUntil(6);
  assert.deepEqual(seen, [3, 1, 4, 5]);
  await time.runUntil(7);
  assert.deepEqual(seen, [3, 1, 4, 5, 0, 2]);
});

test("an event that throws ends the run with its error", async () => {
  const time = new VirtualTime();
  time.after(1, () => {
    throw new RangeError("a fault of the simulated world");
  });
  await assert.rejects(time.runUntil(2), RangeError);
});
