import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { createCircuitWorld, settle } from "../support/circuit-world.ts";

/** Would catch: channels to every relay that was ever extended to, which stay for as long as both run. */
test("a channel without circuits is closed after a while, by whoever dialled it, and not while one is there", async () => {
  const world = createCircuitWorld({ relayCount: 2 });
  const circuit = await world.build(0, 1);
  const channels = () => world.relays.map(({ relay }) => relay.stats().channels);
  assert.deepEqual(channels(), [2, 1]);
  const pass = (ms: number): Promise<void> => world.clock.pass(ms);
  await pass(3 * LIMITS.channelIdleMs);
  assert.deepEqual(channels(), [2, 1]);
  circuit.destroy();
  await settle();
  await pass(LIMITS.channelIdleMs - 1);
  assert.deepEqual(channels(), [2, 1]);
  await pass(1);
  assert.deepEqual(channels(), [0, 0]);
});
