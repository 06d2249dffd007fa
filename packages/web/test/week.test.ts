import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cellsOf, DAYS, HOURS, rulesOf } from "../src/state/week.ts";

const LIMITS = { downloadRate: 1000, uploadRate: null, relayRate: null };
const week = fc.uniqueArray(fc.integer({ min: 0, max: DAYS * HOURS - 1 }));

/** Would catch: an hour that is saved and does not come back, or one that comes along. */
test("what is marked in the grid is what the rules say", () => {
  fc.assert(
    fc.property(week, (marked) => {
      const cells = new Set(marked);
      assert.deepEqual(
        [...cellsOf(rulesOf(cells, LIMITS))].sort((a, b) => a - b),
        [...cells].sort((a, b) => a - b),
      );
    }),
  );
});

test("days with the same hours share a rule, and every rule is one that the daemon takes", () => {
  fc.assert(
    fc.property(week, (marked) => {
      const rules = rulesOf(new Set(marked), LIMITS);
      const stretches = rules.map(({ fromHour, toHour }) => `${fromHour} ${toHour}`);
      assert.equal(new Set(stretches).size, stretches.length);
      for (const { days, fromHour, toHour } of rules) {
        assert.ok(days.length > 0 && fromHour < toHour && toHour <= HOURS);
      }
    }),
  );
});

test("a rule past midnight goes on into the next day, and from Sunday into Monday", () => {
  const cells = cellsOf([{ days: [6], fromHour: 22, toHour: 2 }]);
  assert.deepEqual([...cells], [166, 167, 0, 1]);
});
