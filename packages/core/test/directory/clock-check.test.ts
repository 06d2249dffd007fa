import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { createClockCheck } from "../../src/directory/clock-check.ts";

const HOUR = 3_600_000;

function checkOf(...skews: number[]) {
  const check = createClockCheck();
  for (const [n, skew] of skews.entries()) check.note(`source ${n}`, skew);
  return check;
}

test("the median of several neighbours decides", () => {
  assert.equal(checkOf().skewMs(), undefined);
  assert.equal(checkOf(10).skewMs(), 10);
  assert.equal(checkOf(-5 * HOUR, 3, 90 * HOUR).skewMs(), 3);
  assert.equal(checkOf(24 * HOUR, 25 * HOUR, 24.5 * HOUR).skewMs(), 24.5 * HOUR);
});

test("of two neighbours that disagree the milder counts, so one liar raises no alarm", () => {
  assert.equal(checkOf(0, 24 * HOUR).skewMs(), 0);
  assert.equal(checkOf(-1000, 24 * HOUR).skewMs(), 0);
  assert.equal(checkOf(-24 * HOUR, -20 * HOUR).skewMs(), -20 * HOUR);
  checkOf(5, 24 * HOUR).assertRight();
});

test("a clock a day off is named with its direction, one within the overlap of epochs is fine", () => {
  for (const skew of [HOUR, -HOUR, 0]) checkOf(skew, skew, skew).assertRight();
  assert.throws(() => checkOf(24 * HOUR, 24 * HOUR).assertRight(), {
    code: "E_CLOCK",
    message: /about 24 h behind/,
  });
  assert.throws(() => checkOf(-72 * HOUR).assertRight(), {
    code: "E_CLOCK",
    message: /about 3 days ahead of/,
  });
});

test("a source has one voice, and the voices are bounded", () => {
  const check = createClockCheck();
  for (let n = 0; n < 100; n++) check.note("liar", 50 * HOUR);
  check.note("a", 0);
  check.note("b", 0);
  assert.equal(check.skewMs(), 0);
  for (let n = 0; n < LIMITS.clockSources; n++) check.note(`late ${n}`, 7);
  assert.equal(check.skewMs(), 7);
});

test("as many voices are heard as are kept, and the oldest is forgotten", () => {
  const check = createClockCheck();
  for (let n = 0; n < LIMITS.clockSources; n++) check.note(`old ${n}`, 24 * HOUR);
  for (let n = 0; n < LIMITS.clockSources; n++) check.note(`new ${n}`, 0);
  // Half of those that spoke are a day off: were all kept the middle two would disagree.
  check.note("one more", 10 * HOUR);
  assert.equal(check.skewMs(), 0);
  for (let n = 0; n < LIMITS.clockSources; n++) check.note(`newest ${n}`, 5 * HOUR);
  assert.equal(check.skewMs(), 5 * HOUR);
});
