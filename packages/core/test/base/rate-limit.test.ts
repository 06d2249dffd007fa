import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { burstBytes, RateLimit, turnBytes, type RateShare } from "../../src/base/rate-limit.ts";
import { ManualClock } from "../support/manual-clock.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Somebody who moves units of one size through the limit whenever it may, as long as it has some. */
class Mover {
  movedBytes = 0;
  readonly #share: RateShare;
  readonly #unit: number;
  readonly #onMoved: (bytes: number) => void;
  #left: number;

  constructor(limit: RateLimit, unit: number, left: number, onMoved: (bytes: number) => void = () => {}) {
    this.#share = limit.share(() => this.move());
    this.#unit = unit;
    this.#left = left;
    this.#onMoved = onMoved;
  }

  move(): void {
    while (this.#left > 0 && this.#share.request() > 0) {
      const bytes = Math.min(this.#unit, this.#left);
      this.#left -= bytes;
      this.movedBytes += bytes;
      this.#share.spend(bytes);
      this.#onMoved(bytes);
    }
  }

  more(bytes: number): void {
    this.#left += bytes;
    this.move();
  }

  close(): void {
    this.#share.close();
  }
}

function newLimit(rate: number | null) {
  const clock = new ManualClock();
  const limit = new RateLimit(clock);
  limit.rate = rate;
  return { clock, limit };
}

const someRate = fc.integer({ min: 8 * KIB, max: 32 * MIB });
const someUnit = fc.constantFrom(700, 2 * KIB, 16 * KIB, 64 * KIB);

/** Would catch: time that is counted twice, an overdrawn bucket that starts anew, a change of nothing that gives another burst. */
test("in any span of time no more goes than the rate allows, with a burst, a turn and a unit", () => {
  const step = fc.record({
    pauseMs: fc.integer({ min: 0, max: 900 }),
    mover: fc.nat(),
    bytes: fc.integer({ min: 1, max: 4 * MIB }),
  });
  fc.assert(
    fc.property(
      someRate,
      fc.array(someUnit, { minLength: 1, maxLength: 5 }),
      fc.array(step, { maxLength: 40 }),
      (rate, units, steps) => {
        const { clock, limit } = newLimit(rate);
        const moves: { atMs: number; bytes: number }[] = [];
        const note = (bytes: number): void => void moves.push({ atMs: clock.monotonicMs(), bytes });
        const movers = units.map((unit) => new Mover(limit, unit, 0, note));
        for (const { pauseMs, mover, bytes } of steps) {
          clock.advance(pauseMs);
          movers[mover % movers.length]?.more(bytes);
        }
        clock.advance(2000);
        const extra = burstBytes(rate) + turnBytes(rate) + Math.max(...units);
        // The worst span that ends at each move: the most that the bytes were ahead of the time before it.
        let least = 0;
        let sum = 0;
        for (const { atMs, bytes } of moves) {
          least = Math.min(least, sum - (rate * atMs) / 1000);
          sum += bytes;
          assert.ok(sum - (rate * atMs) / 1000 - least <= extra + 1);
        }
      },
    ),
    { numRuns: 60 },
  );
});

/** Would catch: a turn that is lost when a share takes nothing, a timer that is not set again. */
test("somebody who always wants gets all that the others leave", () => {
  fc.assert(
    fc.property(
      someRate,
      someUnit,
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 20 }),
      (rate, unit, naps) => {
        const { clock, limit } = newLimit(rate);
        const greedy = new Mover(limit, unit, Infinity);
        const other = new Mover(limit, 16 * KIB, 0);
        greedy.move();
        for (const nap of naps) {
          clock.advance(500);
          if (nap === 0) other.more(64 * KIB);
        }
        clock.advance(10_000);
        const seconds = clock.monotonicMs() / 1000;
        const moved = greedy.movedBytes + other.movedBytes;
        assert.ok(moved >= rate * seconds - LATE_PART * rate, `${moved} of ${rate * seconds} bytes`);
      },
    ),
    { numRuns: 60 },
  );
});
/** What has come in since the last look, at the end. */
const LATE_PART = 0.02;

/** Would catch: turns that are counted in units, so that long frames get what short ones do not. */
test("whoever always wants gets the same number of bytes, whatever the size of its units", () => {
  fc.assert(
    fc.property(someRate, fc.array(someUnit, { minLength: 2, maxLength: 8 }), (rate, units) => {
      const { clock, limit } = newLimit(rate);
      const movers = units.map((unit) => new Mover(limit, unit, Infinity));
      for (const mover of movers) mover.move();
      clock.advance(60_000);
      const moved = movers.map(({ movedBytes }) => movedBytes);
      // The first one found the bucket full; from then on they are a turn and a unit apart at most.
      const apart = burstBytes(rate) + 2 * turnBytes(rate) + 2 * 64 * KIB;
      assert.ok(Math.max(...moved) - Math.min(...moved) <= apart, moved.join(" "));
    }),
    { numRuns: 40 },
  );
});

/** Would catch: a daemon without limits that wakes up for them. */
test("without a limit everything goes at once and no timer is ever set", () => {
  const { clock, limit } = newLimit(null);
  const mover = new Mover(limit, 64 * KIB, 1024 * MIB);
  mover.move();
  assert.equal(mover.movedBytes, 1024 * MIB);
  assert.equal(clock.timerCount, 0);
});

/** Would catch: a timer that goes on when nobody waits, or when who waited is gone. */
test("with a limit there is a timer only while somebody waits", () => {
  const { clock, limit } = newLimit(MIB);
  const mover = new Mover(limit, 16 * KIB, 4 * MIB);
  assert.equal(clock.timerCount, 0);
  mover.move();
  assert.equal(clock.timerCount, 1);
  clock.advance(5000);
  assert.equal(mover.movedBytes, 4 * MIB);
  assert.equal(clock.timerCount, 0);
  mover.more(4 * MIB);
  assert.equal(clock.timerCount, 1);
  mover.close();
  assert.equal(clock.timerCount, 0);
});

/** Would catch: a new limit that waits for the timer of the old one, or for what the old one overdrew. */
test("a change takes hold at once, in either direction", () => {
  const { clock, limit } = newLimit(16 * KIB);
  const mover = new Mover(limit, 64 * KIB, Infinity);
  mover.move();
  clock.advance(60_000);
  const during = (ms: number): number => {
    const before = mover.movedBytes;
    clock.advance(ms);
    return mover.movedBytes - before;
  };
  limit.rate = 8 * MIB;
  assert.ok(Math.abs(during(10_000) - 80 * MIB) < 4 * MIB);
  limit.rate = 64 * KIB;
  const slow = during(60_000);
  assert.ok(Math.abs(slow - 60 * 64 * KIB) < 512 * KIB, `${slow}`);
});

/** Would catch: a burst that passes all the same, a wait for ever once the limit is another one. */
test("a limit of nothing lets nothing through and sets no timer, until it is changed", () => {
  const { clock, limit } = newLimit(0);
  const mover = new Mover(limit, 16 * KIB, Infinity);
  mover.move();
  clock.advance(3_600_000);
  assert.equal(mover.movedBytes, 0);
  assert.equal(clock.timerCount, 0);
  limit.rate = MIB;
  clock.advance(10_000);
  assert.ok(mover.movedBytes > 9 * MIB);
  limit.rate = 0;
  const before = mover.movedBytes;
  clock.advance(10_000);
  assert.equal(mover.movedBytes, before);
});

/** Would catch: what went without a limit, or could not wait for one, held against a share for as long as it took. */
test("neither what went before there was a limit nor what did not wait keeps a share from its part for long", () => {
  const { clock, limit } = newLimit(null);
  const [old, fresh] = [new Mover(limit, 16 * KIB, 1024 * MIB), new Mover(limit, 16 * KIB, 0)];
  old.move();
  limit.rate = MIB;
  old.more(Infinity);
  fresh.more(Infinity);
  const before = old.movedBytes;
  clock.advance(10_000);
  assert.ok(Math.abs(old.movedBytes - before - fresh.movedBytes) < MIB);
  const urgent = limit.share(() => {});
  urgent.spend(64 * MIB);
  const other = limit.share(() => {});
  assert.equal(other.request(), 0);
  assert.equal(urgent.request(), 0);
});
