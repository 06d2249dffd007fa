import assert from "node:assert/strict";
import { test } from "node:test";
import type { PortMapping } from "../../src/net/port-mapping/messages.ts";
import { PortLease } from "../../src/node/port-lease.ts";
import { ManualClock } from "../support/manual-clock.ts";

const HOUR_MS = 3_600_000;

/** A router that gives these ports, one after the other. */
function leaseOf(...ports: (number | undefined)[]) {
  const clock = new ManualClock();
  const log: string[] = [];
  const mapper = {
    map(port: number, wished: number): Promise<PortMapping | undefined> {
      log.push(`map ${port} as ${wished}`);
      const given = ports.shift();
      return Promise.resolve(given === undefined ? undefined : { port: given, lifetimeMs: HOUR_MS });
    },
    release: (port: number, mapped: number) => Promise.resolve(void log.push(`release ${port} as ${mapped}`)),
  };
  const lease = new PortLease({ mapper, clock, port: 4430, onMoved: () => log.push("moved") });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { lease, clock, log, pass };
}

test("a port is renewed at half its time, and given back at the end", async () => {
  const { lease, log, pass, clock } = leaseOf(4430, 4430, 4430);
  assert.equal(await lease.obtain(), 4430);
  await pass(HOUR_MS / 2 - 1);
  assert.equal(log.length, 1);
  await pass(1);
  await pass(HOUR_MS / 2);
  await lease.close();
  assert.deepEqual(log, ["map 4430 as 4430", "map 4430 as 4430", "map 4430 as 4430", "release 4430 as 4430"]);
  assert.equal(clock.timerCount, 0);
});

test("a router that gives another port, or none any more, is noticed", async () => {
  const moved = leaseOf(61_000, 61_001);
  assert.equal(await moved.lease.obtain(), 61_000);
  await moved.pass(HOUR_MS / 2);
  assert.deepEqual(moved.log, ["map 4430 as 4430", "map 4430 as 61000", "moved"]);
  const gone = leaseOf(61_000, undefined);
  await gone.lease.obtain();
  await gone.pass(HOUR_MS / 2);
  assert.equal(gone.log.at(-1), "moved");
  await gone.lease.close();
  assert.equal(gone.log.at(-1), "moved", "nothing is given back that one does not have");
});

test("who asks while somebody asks gets the same answer, and without a router nothing is renewed", async () => {
  const { lease, log, clock } = leaseOf(undefined);
  assert.deepEqual(await Promise.all([lease.obtain(), lease.obtain()]), [undefined, undefined]);
  assert.deepEqual([log.length, clock.timerCount], [1, 0]);
});
