import assert from "node:assert/strict";
import { test } from "node:test";
import { watchLoopLag } from "../../src/node/loop-lag.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** A clock whose timers come late. */
function lateClock() {
  const clock = new ManualClock();
  const state = { lateMs: 0 };
  return {
    state,
    clock,
    late: {
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs: number, run: () => void) => clock.after(delayMs + state.lateMs, run),
    },
  };
}

test("timers that come late all the time are a lag, one that does is not, and it passes", () => {
  const { clock, state, late } = lateClock();
  const lag = watchLoopLag(late);
  clock.advance(10_000);
  assert.equal(lag.lagMs(), 0);
  state.lateMs = 1_000;
  clock.advance(1_500);
  assert.ok(lag.lagMs() < 500, "one pause of a second is taken for an overload");
  clock.advance(20_000);
  assert.ok(lag.lagMs() > 900);
  state.lateMs = 0;
  clock.advance(10_000);
  assert.ok(lag.lagMs() < 10);
  lag.stop();
  assert.equal(clock.timerCount, 0);
});
