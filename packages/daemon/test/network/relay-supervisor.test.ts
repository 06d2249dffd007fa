import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError, type ErrorCode } from "@backroom/core/base/errors.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import type { RunningRelay } from "@backroom/core/node/running-relay.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { RelaySupervisor, type RelayRun, type RelayWish } from "../../src/network/relay-supervisor.ts";

const AUTO: RelayWish = { mode: "auto", gate: false, port: 0, hosts: [] };

interface Started {
  readonly wish: RelayWish;
  readonly run: RelayRun;
  fail(code: ErrorCode): void;
  ready(): void;
  isOver: boolean;
}

/** A supervisor whose relays do what the test says. */
function newSupervisor() {
  const clock = new ManualClock();
  const started: Started[] = [];
  const states: string[] = [];
  const supervisor: RelaySupervisor = new RelaySupervisor({
    clock,
    log: silentLog,
    onChange: () => void states.push(supervisor.state),
    run: (wish, run) =>
      new Promise((resolve, reject) => {
        const one: Started = {
          wish,
          run,
          isOver: false,
          fail: (code) => {
            one.isOver = true;
            reject(new BackroomError(code, "as the test wants it"));
          },
          ready: () => run.onReady({ port: wish.port } as RunningRelay),
        };
        run.signal.addEventListener("abort", () => {
          // As a real one: its sockets take a moment.
          setImmediate(() => {
            one.isOver = true;
            resolve();
          });
        });
        started.push(one);
      }),
  });
  return { clock, started, states, supervisor };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const last = (started: Started[]): Started => started.at(-1) as Started;

test("a relay that is wanted starts, runs, and ends when it is not wanted any more", async () => {
  const { clock, started, states, supervisor } = newSupervisor();
  supervisor.want(AUTO);
  assert.equal(supervisor.state, "starting");
  last(started).ready();
  assert.equal(supervisor.state, "running");
  assert.equal(supervisor.sinceMs, clock.nowMs());
  supervisor.want({ ...AUTO });
  supervisor.want(undefined);
  await settle();
  assert.deepEqual([started.length, last(started).isOver, supervisor.state], [1, true, "off"]);
  assert.equal(supervisor.relay, undefined);
  assert.deepEqual(states, ["starting", "running", "off"]);
  assert.equal(clock.timerCount, 0);
});

/** Would catch: a relay that is given up, one that is started again at once and for ever, a back-off that never starts anew. */
test("one that fails is started again, later each time, and the reason can be read meanwhile", async () => {
  const { clock, started, supervisor } = newSupervisor();
  supervisor.want(AUTO);
  const pauses: number[] = [];
  for (let round = 0; round < 9; round++) {
    last(started).fail("E_PORT_IN_USE");
    await settle();
    assert.equal(supervisor.state, "failed");
    assert.equal(supervisor.failure?.code, "E_PORT_IN_USE");
    const before = started.length;
    const sinceMs = clock.monotonicMs();
    while (started.length === before && clock.monotonicMs() - sinceMs < 3_600_000) {
      clock.advance(500);
      await settle();
    }
    pauses.push(clock.monotonicMs() - sinceMs);
  }
  assert.deepEqual(
    pauses,
    [2, 4, 8, 16, 32, 64, 128, 256, 300].map((seconds) => seconds * 1000),
  );
  last(started).ready();
  assert.equal(supervisor.failure, undefined);
  clock.advance(11 * 60_000);
  last(started).fail("E_LISTEN");
  await settle();
  const before = started.length;
  clock.advance(2_000);
  await settle();
  assert.equal(started.length, before + 1, "it had run well, and is started again soon");
  await supervisor.close();
});

/** Would catch: two relays of one folder at a time, a wish that is lost while the one before ends. */
test("what is wanted differently begins anew, once the one before has ended", async () => {
  const { started, supervisor } = newSupervisor();
  supervisor.want(AUTO);
  last(started).ready();
  supervisor.want({ ...AUTO, gate: true });
  supervisor.want({ ...AUTO, gate: true, port: 9 });
  assert.equal(started.length, 1, "the first one has not ended yet");
  await settle();
  assert.equal(started[0]?.isOver, true);
  assert.deepEqual(
    started.slice(1).map(({ wish }) => wish),
    [{ ...AUTO, gate: true, port: 9 }],
  );
  supervisor.restart();
  await settle();
  assert.equal(started.length, 3);
  // Off and on again at once.
  supervisor.want(undefined);
  supervisor.want(AUTO);
  await settle();
  assert.deepEqual([started.length, supervisor.state], [4, "starting"]);
  await supervisor.close();
  assert.equal(supervisor.state, "off");
});

/** Would catch: somebody who turns the relay on again, or mends what was wrong, and waits for the back-off. */
test("a change ends the wait after a failure", async () => {
  const { clock, started, supervisor } = newSupervisor();
  supervisor.want(AUTO);
  last(started).fail("E_PROXY");
  await settle();
  supervisor.restart();
  await settle();
  assert.equal(started.length, 2);
  last(started).fail("E_PROXY");
  await settle();
  await supervisor.close();
  assert.deepEqual([supervisor.state, supervisor.failure, clock.timerCount], ["off", undefined, 0]);
});
