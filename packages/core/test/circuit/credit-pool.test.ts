import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { shuffled } from "../../src/base/random.ts";
import { CreditPool, type CreditShare } from "../../src/circuit/credit-pool.ts";
import { seededRandom } from "../directory/fixtures.ts";

/** Everybody who wants takes its ceiling, again and again in mixed order, as windows do that are refilled. */
function settleAll(shares: readonly CreditShare[], nowMs: number): number[] {
  for (let round = 0; round < 200; round++)
    for (const share of shuffled(shares, seededRandom(round))) share.hold(share.ceiling(nowMs), nowMs);
  return shares.map(({ held }) => held);
}

test("whoever is alone gets half, and n who want all get an equal part, with one left for the next to come", () => {
  const pool = new CreditPool(1_200);
  const shares = [pool.section().share()];
  assert.deepEqual(settleAll(shares, 0), [600]);
  shares.push(pool.section().share(), pool.section().share());
  const held = settleAll(shares, 0);
  for (const frames of held) assert.ok(Math.abs(frames - 300) <= 3, `${held.join()} of 1200`);
  assert.ok(Math.abs(pool.free - 300) <= 9);
});

/** Would catch: a client that opens 64 circuits on its channel and leaves nothing to the others. */
test("a section with many shares leaves a third, shares that evenly, and a single share elsewhere gets much more", () => {
  const pool = new CreditPool(3_000);
  const crowd = pool.section();
  const many = Array.from({ length: 64 }, () => crowd.share());
  settleAll(many, 0);
  assert.ok(crowd.held <= 2_000, `${crowd.held} of 3000`);
  const held = many.map((share) => share.held);
  assert.ok(Math.max(...held) - Math.min(...held) <= 3, `${held.join()}: those that came first kept more`);
  const other = pool.section().share();
  settleAll([...many, other], 0);
  assert.ok(other.held > 5 * (many[0]?.held ?? 0), `${other.held} beside ${many[0]?.held} each`);
});

test("what an idle sender holds is free for others after ten seconds, and counts again when it wakes", () => {
  const pool = new CreditPool(1_000);
  const [idle, busy] = [pool.section().share(), pool.section().share()];
  idle.hold(idle.ceiling(0), 0);
  assert.deepEqual(settleAll([busy], 5_000), [250]);
  assert.deepEqual(settleAll([busy], 20_000), [500]);
  assert.equal(idle.held, 0);
  idle.hold(500, 21_000);
  assert.equal(pool.free, 0);
  assert.ok(busy.ceiling(21_000) < 500, "who grew meanwhile has to shrink");
});

test("any mixture of holders: what is held and what is free add up, and no ceiling passes what was free", () => {
  const step = fc.record({
    who: fc.nat(5),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    afterMs: fc.nat(4_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const pool = new CreditPool(512);
      const sections = [pool.section(), pool.section()];
      const shares = Array.from({ length: 6 }, (_, index) =>
        (sections[index % 2] as (typeof sections)[0]).share(),
      );
      let nowMs = 0;
      for (const { who, part, afterMs } of steps) {
        nowMs += afterMs;
        const share = shares[who] as CreditShare;
        const ceiling = share.ceiling(nowMs);
        assert.ok(ceiling >= 0 && ceiling <= pool.free + share.held);
        share.hold(Math.floor(ceiling * part), nowMs);
        assert.equal(pool.free + shares.reduce((sum, { held }) => sum + held, 0), 512);
        assert.ok(pool.free >= 0, "nobody took more than a ceiling, and yet it is overdrawn");
        for (const [index, section] of sections.entries()) {
          const own = shares.filter((_, number) => number % 2 === index);
          assert.equal(
            section.held,
            own.reduce((sum, { held }) => sum + held, 0),
          );
        }
      }
    }),
  );
});
