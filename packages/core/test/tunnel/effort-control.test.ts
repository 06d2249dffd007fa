import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LIMITS } from "../../src/base/limits.ts";
import { EffortControl } from "../../src/tunnel/effort-control.ts";
import { ManualClock } from "../support/manual-clock.ts";

const SPAN_MS = LIMITS.connectEffortEveryMs;

/** Would catch: a gate that asks for no more than what it has just turned away, so that whoever comes next does that work in vain; and one that goes on asking when all is quiet. */
test("what is asked for rises above what was turned away, and falls by a third each second", () => {
  const clock = new ManualClock();
  const control = new EffortControl(clock);
  assert.equal(control.effort(undefined), 0);
  control.refused(0);
  assert.equal(control.effort(undefined), 1);
  control.refused(10);
  assert.equal(control.effort(undefined), 16);
  control.refused(4);
  assert.equal(control.effort(undefined), 16, "one who showed little says nothing");
  clock.advance(SPAN_MS);
  assert.equal(control.effort(undefined), 10);
  clock.advance(2 * SPAN_MS);
  assert.equal(control.effort(undefined), 4);
  clock.advance(10 * SPAN_MS);
  assert.equal(control.effort(undefined), 0);
});

/** Would catch: a figure that one who shows much drives up at once for all others, or that never comes near what it takes. */
test("it follows those who are served under load by a quarter of the way", () => {
  const control = new EffortControl(new ManualClock());
  control.servedUnderLoad(100);
  assert.equal(control.effort(undefined), 25);
  control.servedUnderLoad(100);
  assert.equal(control.effort(undefined), 44);
  control.servedUnderLoad(10);
  assert.equal(control.effort(undefined), 44);
});

/** Would catch: a newcomer who shows what was asked for and is behind somebody who waits; more than a downloader does. */
test("whatever happened, whoever waits is outbid, and nobody is asked for more than a downloader does", () => {
  const step = fc.record({
    kind: fc.constantFrom("refused", "served", "time"),
    amount: fc.integer({ min: 0, max: 2 * LIMITS.connectEffortMost }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(LIMITS.connectEffortMost), (steps, waiting) => {
      const clock = new ManualClock();
      const control = new EffortControl(clock);
      for (const { kind, amount } of steps) {
        if (kind === "refused") control.refused(amount);
        else if (kind === "served") control.servedUnderLoad(amount);
        else clock.advance(amount);
      }
      const asked = control.effort(waiting);
      assert.ok(asked <= LIMITS.connectEffortMost);
      assert.ok(asked > waiting || asked === LIMITS.connectEffortMost);
    }),
  );
});
