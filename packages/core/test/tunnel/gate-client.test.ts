import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { serveMessages } from "../../src/circuit/messages.ts";
import { SERVICE } from "../../src/circuit/stream.ts";
import { decodeConnect } from "../../src/tunnel/connect-work.ts";
import { connectTunnel } from "../../src/tunnel/gate-client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { newSeeder } from "./fixtures.ts";
import { memoryCircuit } from "./memory-circuit.ts";

const isTunnel = (error: unknown): boolean => isBackroomError(error, "E_TUNNEL");

/** A gate that opens nothing, and asks for `effort` each time; notes what it was shown. */
async function visit(effort: number, onAttempt: (clock: ManualClock) => void = () => {}) {
  const clock = new ManualClock();
  const shown: number[] = [];
  const circuit = memoryCircuit({
    [SERVICE.connect]: (_stream, args) => {
      shown.push(decodeConnect(args).work?.effort ?? 0);
      onAttempt(clock);
      return undefined;
    },
    [SERVICE.leases]: (stream) => serveMessages(stream, () => ({ n: systemRandom.bytes(16), w: effort })),
  });
  const peer = newSeeder();
  const target = { leaseKey: peer.leaseKeys.publicBytes, tunnelKey: peer.tunnelKeys.publicBytes };
  const entrance = { gateKey: systemRandom.bytes(32), tag: systemRandom.bytes(16) };
  await assert.rejects(
    connectTunnel(circuit, entrance, target, Buffer.alloc(32), { clock, random: systemRandom }),
    isTunnel,
  );
  // Whose circuit it is can ask over it where the seeder went.
  assert.equal(circuit.alive, true);
  return shown;
}

test("a gate that asks for nothing and opens nothing is left at once", async () => {
  assert.deepEqual(await visit(0), [0]);
});

test("work that was not enough is followed by twice as much, a few times", async () => {
  const shown = await visit(1);
  assert.deepEqual(shown, [0, 64, 128, 256].slice(0, LIMITS.connectTries));
});

test("twice what is asked for is shown, but never more than a tunnel is worth", async () => {
  assert.deepEqual((await visit(50, (clock) => clock.advance(LIMITS.connectMs / 2))).at(-1), 100);
});

/** Would catch: a hostile gate that sets downloaders to work for hours. */
test("a gate that asks for more work than a tunnel is worth is left", async () => {
  assert.deepEqual(await visit(LIMITS.connectEffortMost + 1), [0]);
});

test("no more is tried once it has taken too long", async () => {
  assert.deepEqual(await visit(1, (clock) => clock.advance(LIMITS.connectMs / 2)), [0, 64]);
});
