import assert from "node:assert/strict";
import { test } from "node:test";
import { createAllowances } from "../../src/directory/allowance.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** Would catch: a service that remembers every circuit that ever asked it something. */
test("as many askers are remembered as may be; the first is forgotten first, and begins anew", () => {
  const clock = new ManualClock();
  const allowance = createAllowances({ burst: 1, perSecond: 1 }, 2, clock);
  assert.deepEqual(
    [1, 1, 2, 2].map((asker) => allowance(asker).take()),
    [true, false, true, false],
  );
  assert.equal(allowance(3).take(), true);
  assert.deepEqual(
    [2, 3, 1].map((asker) => allowance(asker).take()),
    [false, false, true],
  );
});
