import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiEvent } from "@backroom/api/schemas/event.ts";
import { DaemonStatus } from "@backroom/api/schemas/daemon.ts";
import type { TransferTotals } from "../../src/context.ts";
import { callContext } from "../support/call-context.ts";
import { createLifecycle } from "../../src/process/lifecycle.ts";

const CALL = callContext();
const IDLE: TransferTotals = {
  byState: {},
  downloadRate: 0,
  uploadRate: 0,
  downloadedBytes: 0,
  uploadedBytes: 0,
  peerCount: 0,
};

function lifecycle(
  totals: () => TransferTotals,
  isFollowed = true,
): {
  part: ReturnType<typeof createLifecycle>;
  events: ApiEvent[];
  stops: () => number;
} {
  const events: ApiEvent[] = [];
  let stops = 0;
  const part = createLifecycle({
    version: "1.2.3",
    startedMs: 5,
    logFile: "/nowhere/log",
    events: { publish: (event) => events.push(event), isFollowed },
    page: () => "http://127.0.0.1:7/",
    totals,
    stop: () => stops++,
  });
  return { part, events, stops: () => stops };
}

/** Would catch: a paused or failed transfer counted as active, rates that the schema refuses. */
test("status counts what is active and what is there", async () => {
  const byState = { seeding: 3, downloading: 1, paused: 2, failed: 1, done: 4, queued: 1 };
  const { part } = lifecycle(() => ({ ...IDLE, byState, downloadRate: 10.6 }));
  const status = DaemonStatus.parse(await part.handlers.status({}, CALL));
  assert.deepEqual([status.transferCount, status.activeCount, status.downloadRate], [12, 4, 11]);
  assert.deepEqual([status.version, status.pid, status.page], ["1.2.3", process.pid, "http://127.0.0.1:7/"]);
  await part.close();
});

/** Would catch: an event every second from an idle daemon, and a change that nobody hears of. */
test("clients are told of totals that changed, and of nothing else", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let totals = IDLE;
  const { part, events } = lifecycle(() => totals);
  t.mock.timers.tick(5_000);
  assert.equal(events.length, 1);
  totals = { ...IDLE, byState: { seeding: 1 } };
  t.mock.timers.tick(1_000);
  assert.equal(events.length, 2);
  assert.equal(events[1]?.name === "status" && events[1].data.activeCount, 1);
  await part.close();
  totals = IDLE;
  t.mock.timers.tick(5_000);
  assert.equal(events.length, 2);
});

/** Would catch: a daemon that counts ten thousand transfers every second for nobody. */
test("nothing is summed up while nobody hears of it", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let asked = 0;
  const { part, events } = lifecycle(() => {
    asked++;
    return IDLE;
  }, false);
  t.mock.timers.tick(10_000);
  assert.deepEqual([asked, events.length], [0, 0]);
  await part.close();
});

/** Would catch: a daemon that is gone before its answer is. */
test("stop answers first", async () => {
  const { part, stops } = lifecycle(() => IDLE);
  await part.handlers.stop({}, CALL);
  assert.equal(stops(), 0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(stops(), 1);
  await part.close();
});
