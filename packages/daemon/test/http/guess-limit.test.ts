import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { GuessLimit } from "../../src/http/guess-limit.ts";

const HOME = "127.0.0.1";

function waits(limit: GuessLimit, address = HOME): boolean {
  try {
    limit.check(address);
    return false;
  } catch {
    return true;
  }
}

function guess(limit: GuessLimit, count: number, address = HOME): void {
  for (let n = 0; n < count; n++) limit.wrong(address);
}

test("a few mistakes are free; from then on each costs twice as much time, up to a bound", () => {
  const clock = new ManualClock();
  const limit = new GuessLimit(clock);
  guess(limit, LIMITS.guessBurst - 1);
  assert.equal(waits(limit), false);
  for (let waitMs = LIMITS.guessWaitMs; waitMs < LIMITS.guessWaitMostMs; waitMs *= 2) {
    guess(limit, 1);
    clock.advance(waitMs - 1);
    assert.equal(waits(limit), true, `${waitMs}`);
    clock.advance(1);
    assert.equal(waits(limit), false, `${waitMs}`);
  }
  guess(limit, 20);
  clock.advance(LIMITS.guessWaitMostMs - 1);
  assert.equal(waits(limit), true);
  clock.advance(1);
  assert.equal(waits(limit), false);
  // Forgiven by time alone.
  clock.advance(LIMITS.guessWaitMostMs + 1);
  guess(limit, LIMITS.guessBurst - 1);
  assert.equal(waits(limit), false);
});

test("who guesses waits, and nobody else; a home's addresses of IPv6 are one", () => {
  const limit = new GuessLimit(new ManualClock());
  guess(limit, LIMITS.guessBurst, "192.0.2.1");
  guess(limit, LIMITS.guessBurst, "2001:db8:1:2::1");
  assert.deepEqual(
    ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1", HOME].map(
      (one) => waits(limit, one),
    ),
    [true, true, false, true, false, false],
  );
});

test("remembers only so many addresses", () => {
  const limit = new GuessLimit(new ManualClock());
  guess(limit, LIMITS.guessBurst, "192.0.2.1");
  const address = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
  for (let n = 1; n < LIMITS.guessSources; n++) limit.wrong(address(n));
  assert.equal(waits(limit, "192.0.2.1"), true);
  limit.wrong(address(LIMITS.guessSources));
  assert.equal(waits(limit, "192.0.2.1"), false, "the one that came first is forgotten");
});
