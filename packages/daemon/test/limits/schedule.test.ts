import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Limits, ScheduleRule } from "@backroom/api/schemas/daemon.ts";
import { limitsAt, localHour } from "../../src/limits/schedule.ts";

// Before the first date of this process: a zone with summer time.
process.env.TZ = "Europe/Berlin";

const rateOf = (downloadRate: number): Limits => ({ downloadRate, uploadRate: null, relayRate: null });
const ALWAYS = rateOf(1);

function rule(days: number[], fromHour: number, toHour: number, rate = 2): ScheduleRule {
  return { days, fromHour, toHour, limits: rateOf(rate) };
}

const holds = (rules: ScheduleRule[], day: number, hour: number): number | null =>
  limitsAt({ day, hour }, rules, ALWAYS).downloadRate;

/** Would catch: an hour too many at the end, the wrong day after midnight, Sunday as the day before no day. */
test("a rule holds from its hour up to its end, past midnight as part of the day on which it began", () => {
  const work = [rule([0, 1, 2, 3, 4], 8, 18)];
  assert.deepEqual(
    [7, 8, 17, 18].map((hour) => holds(work, 2, hour)),
    [1, 2, 2, 1],
  );
  assert.equal(holds(work, 5, 10), 1);
  const sundayNight = [rule([6], 22, 6)];
  assert.deepEqual([holds(sundayNight, 6, 21), holds(sundayNight, 6, 22)], [1, 2]);
  assert.deepEqual([holds(sundayNight, 0, 5), holds(sundayNight, 0, 6)], [2, 1]);
  assert.equal(holds(sundayNight, 6, 3), 1, "the night before began on Saturday");
  assert.deepEqual(
    [0, 23].map((hour) => holds([rule([3], 0, 24)], 3, hour)),
    [2, 2],
  );
  assert.equal(holds([rule([3], 0, 24)], 4, 0), 1);
});

/** Would catch: a rule for downloads that takes the limit off the relay; "none" that is taken for "not named". */
test("what a rule does not name is then as always, and none is none", () => {
  const always = { downloadRate: 1, uploadRate: 2, relayRate: 70_000 };
  const slow = { days: [0], fromHour: 8, toHour: 9, limits: { downloadRate: 5, uploadRate: null } };
  const wanted = { downloadRate: 5, uploadRate: null, relayRate: 70_000 };
  assert.deepEqual(limitsAt({ day: 0, hour: 8 }, [slow], always), wanted);
  assert.deepEqual(limitsAt({ day: 0, hour: 9 }, [slow], always), always);
});

test("of several rules that fit the first counts", () => {
  const rules = [rule([0], 12, 13, 5), rule([0, 1], 8, 18, 6)];
  assert.deepEqual(
    [11, 12, 13].map((hour) => holds(rules, 0, hour)),
    [6, 5, 6],
  );
});

/** Would catch: hours that belong to no day, or to two. */
test("a rule holds for as many hours a week as it says", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(6), { minLength: 1 }),
      fc.nat(23),
      fc.nat(24),
      (days, fromHour, toHour) => {
        let hours = 0;
        for (let day = 0; day < 7; day++) {
          for (let hour = 0; hour < 24; hour++)
            if (holds([rule(days, fromHour, toHour)], day, hour) === 2) hours++;
        }
        const length = toHour > fromHour ? toHour - fromHour : 24 - fromHour + toHour;
        assert.equal(hours, days.length * length);
      },
    ),
  );
});

const berlin = (iso: string): { day: number; hour: number } => localHour(Date.parse(iso));

/** Would catch: UTC taken for the time here, days counted from Sunday, an offset that was asked for only once. */
test("hours are those of this computer's zone, on both sides of a change of clocks", () => {
  // Sunday, 29 March 2026: at 2:00 it is 3:00.
  assert.deepEqual(berlin("2026-03-29T00:59:00Z"), { day: 6, hour: 1 });
  assert.deepEqual(berlin("2026-03-29T01:00:00Z"), { day: 6, hour: 3 });
  // Sunday, 25 October 2026: at 3:00 it is 2:00 again.
  assert.deepEqual(berlin("2026-10-25T00:30:00Z"), { day: 6, hour: 2 });
  assert.deepEqual(berlin("2026-10-25T01:30:00Z"), { day: 6, hour: 2 });
  assert.deepEqual(berlin("2026-10-25T02:00:00Z"), { day: 6, hour: 3 });
  assert.deepEqual(berlin("2026-10-25T23:00:00Z"), { day: 0, hour: 0 });
});
