import assert from "node:assert/strict";
import { test } from "node:test";
import { Limits, LimitsChange } from "@backroom/api/schemas/daemon.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import type { CallContext } from "@backroom/api/routes.ts";
import type { DaemonContext } from "../../src/context.ts";
import { createLimits } from "../../src/limits/limits.ts";

const NONE = { downloadRate: null, uploadRate: null, relayRate: null };
const CALL = {} as CallContext;
const HOUR_MS = 3_600_000;

/** Limits over a catalogue in memory, in a zone whose hours are those of UTC. 2027-01-15, 8:00, a Friday. */
function newLimits(values = new Map<string, unknown>()) {
  const clock = new ManualClock(Date.parse("2027-01-15T08:00:00Z"));
  const catalogue = {
    value: (name: string) => values.get(name),
    putValue: (name: string, value: unknown) => void values.set(name, JSON.parse(JSON.stringify(value))),
  } as DaemonContext["catalogue"];
  const hourAt = (nowMs: number) => {
    const now = new Date(nowMs);
    return { day: (now.getUTCDay() + 6) % 7, hour: now.getUTCHours() };
  };
  const limits = createLimits({ catalogue, machine: { clock }, log: silentLog }, hourAt);
  return { clock, values, limits, catalogue };
}

test("without limits nothing is limited, and nothing wakes up", async () => {
  const { clock, limits } = newLimits();
  assert.deepEqual(await limits.handlers.limits({}, CALL), { always: NONE, schedule: [], now: NONE });
  assert.equal(limits.swarm.download.rate, null);
  assert.equal(clock.timerCount, 0);
});

/** Would catch: a change of one rate that takes back another, one that holds after the next start only. */
test("a change of one limit leaves the others, holds at once, and after a restart", async () => {
  const { limits, values, clock } = newLimits();
  await limits.handlers.setLimits({ always: { downloadRate: 1000, relayRate: 100_000 } }, CALL);
  const status = await limits.handlers.setLimits({ always: { uploadRate: 5 } }, CALL);
  assert.deepEqual(status.now, { downloadRate: 1000, uploadRate: 5, relayRate: 100_000 });
  assert.deepEqual(
    [limits.swarm.download.rate, limits.swarm.upload.rate, limits.relay.rate],
    [1000, 5, 100_000],
  );
  assert.equal(clock.timerCount, 0);
  const again = newLimits(values).limits;
  assert.equal(again.swarm.download.rate, 1000);
  await again.handlers.setLimits({ always: { downloadRate: null } }, CALL);
  assert.equal(again.swarm.download.rate, null);
  assert.equal(again.swarm.upload.rate, 5);
});

/** Would catch: a schedule that is looked at when it is set only, a timer that stays when the schedule is gone, news for the relay that is none. */
test("the schedule takes hold on the hour, tells the relay when its rate is another one, and stops looking when it is gone", async () => {
  const { limits, clock } = newLimits();
  let news = 0;
  limits.onRelayRate(() => news++);
  const rule = { days: [4], fromHour: 10, toHour: 12, limits: { ...NONE, downloadRate: 7, relayRate: 0 } };
  await limits.handlers.setLimits({ always: { downloadRate: 9 }, schedule: [rule] }, CALL);
  clock.advance(2 * HOUR_MS - 1000);
  assert.equal(limits.swarm.download.rate, 9);
  assert.equal(news, 0);
  clock.advance(2000);
  assert.equal(limits.swarm.download.rate, 7);
  assert.equal(limits.relay.rate, 0);
  assert.equal(news, 1);
  assert.deepEqual((await limits.handlers.limits({}, CALL)).now, rule.limits);
  clock.advance(2 * HOUR_MS);
  assert.equal(limits.swarm.download.rate, 9);
  assert.equal(news, 2);
  assert.equal(clock.timerCount, 1);
  await limits.handlers.setLimits({ schedule: [] }, CALL);
  assert.equal(clock.timerCount, 0);
});

test("a timer is left behind by nobody", async () => {
  const { limits, clock } = newLimits();
  const rule = { days: [0], fromHour: 1, toHour: 2, limits: NONE };
  await limits.handlers.setLimits({ schedule: [rule] }, CALL);
  await limits.close();
  assert.equal(clock.timerCount, 0);
});

/** Would catch: a daemon that does not start, or one that has made up limits. */
test("damaged limits are none", () => {
  const { limits } = newLimits(new Map([["limits", { always: { downloadRate: "fast" } }]]));
  assert.equal(limits.swarm.download.rate, null);
});

test("what could not be kept does not hold", async () => {
  const { limits, catalogue } = newLimits();
  catalogue.putValue = () => {
    throw new BackroomError("E_DISK_FULL", "full");
  };
  await assert.rejects(limits.handlers.setLimits({ always: { downloadRate: 1 } }, CALL), {
    code: "E_DISK_FULL",
  });
  assert.equal(limits.swarm.download.rate, null);
  assert.equal((await limits.handlers.limits({}, CALL)).always.downloadRate, null);
});

/** Would catch: a relay so slow that whoever is routed through it times out. */
test("a relay's rate is none, nothing, or at least a full frame a second", () => {
  const isValid = (relayRate: number | null): boolean => Limits.safeParse({ ...NONE, relayRate }).success;
  assert.deepEqual([null, 0, 1, 65_535, 65_536].map(isValid), [true, true, false, false, true]);
  assert.equal(LimitsChange.safeParse({ always: { relayRate: 100 } }).success, false);
  assert.deepEqual(LimitsChange.parse({ always: { uploadRate: 3 } }), { always: { uploadRate: 3 } });
});
