import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteDuplex } from "../../src/base/duplex.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import { DATA_FRAME_BYTES } from "../../src/net/frame.ts";
import { createCircuitWorld } from "../support/circuit-world.ts";
import { newSeeder, newShare } from "./fixtures.ts";
import { findAll, newTown, pass, servicesOf, settle } from "./town.ts";

const MIB = 1024 * 1024;

/** Gates 0 and 1; guards and second hops 2 to 5; each circuit from a client of its own, as if everybody were somebody else. */
function newCity() {
  const world = createCircuitWorld({ relayCount: 6 });
  const hopOf = (number: number) => (world.relays[number] as (typeof world.relays)[0]).target;
  const town = newTown([hopOf(0), hopOf(1)], {
    clock: world.clock,
    makeCircuit: (gate) => {
      const [guard, second] = [2 + systemRandom.below(2), 4 + systemRandom.below(2)];
      return buildCircuit(world.newClient(), [hopOf(guard), hopOf(second), gate.target]);
    },
  });
  for (const [index, gate] of town.gates.entries()) {
    Object.assign((world.relays[index] as (typeof world.relays)[0]).services, servicesOf(gate));
  }
  return { world, ...town };
}

function reading(tunnel: ByteDuplex) {
  const end = { chunks: [] as Buffer[], length: 0, closed: 0, drained: () => {} };
  tunnel.start({
    onData: (bytes) => {
      end.chunks.push(Buffer.from(bytes));
      end.length += bytes.length;
    },
    onDrain: () => end.drained(),
    onClose: () => end.closed++,
  });
  return end;
}

function sendAll(tunnel: ByteDuplex, end: { drained: () => void }, bytes: Buffer): void {
  let offset = 0;
  const more = (): void => {
    while (offset < bytes.length) {
      const chunk = Buffer.from(bytes.subarray(offset, (offset += 16_397)));
      if (!tunnel.write(chunk)) return;
    }
  };
  end.drained = more;
  more();
}

async function until(done: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 2_000 && !done(); turn++) await settle(1);
  assert.ok(done(), what);
}

test("through five relays: a seeder registers, a downloader finds its lease, and bytes go both ways exactly", async () => {
  const { seed, finderFor, gates } = newCity();
  const share = newShare();
  const { presence, tunnels } = seed(share, newSeeder(share.sharerKeys));
  await until(() => gates.every(({ gate }) => gate.registrations === 1), "not registered");
  const [found] = await findAll(finderFor(share), 1);
  const near = reading(found?.tunnel as ByteDuplex);
  const far = reading(tunnels[0] as ByteDuplex);
  const [down, up] = [systemRandom.bytes(5 * MIB), systemRandom.bytes(3 * MIB)];
  sendAll(tunnels[0] as ByteDuplex, far, down);
  sendAll(found?.tunnel as ByteDuplex, near, up);
  await until(() => near.length >= down.length && far.length >= up.length, "not all bytes arrived");
  assert.ok(Buffer.concat(near.chunks).equals(down));
  assert.ok(Buffer.concat(far.chunks).equals(up));
  tunnels[0]?.write(Buffer.from("last words"));
  tunnels[0]?.close();
  await until(() => near.closed === 1, "the close did not pass");
  assert.equal(near.chunks.at(-1)?.toString(), "last words");
  presence.close();
  await until(
    () => gates.every(({ gate }) => gate.registrations === 0 && gate.tunnels === 0),
    "not withdrawn",
  );
});

/** DATA frames on all wires until nine of ten downloaders have 1 MiB each, all through one gate; the first one may stall. */
async function framesForNine(stalls: boolean): Promise<{ frames: number; queued: number }> {
  const { world, seed, finderFor, gates } = newCity();
  const share = newShare();
  (gates[1] as (typeof gates)[0]).up = false;
  const { tunnels } = seed(share, newSeeder(share.sharerKeys));
  await until(() => gates[0]?.gate.registrations === 1, "not registered");
  const ends: ReturnType<typeof reading>[] = [];
  for (let index = 0; index < 10; index++) {
    const [found] = await findAll(finderFor(share), 1);
    ends.push(reading(found?.tunnel as ByteDuplex));
    if (stalls && index === 0) found?.tunnel.pause();
  }
  let frames = 0;
  let queued = 0;
  world.network.tap = (frame) => {
    if (frame.length === DATA_FRAME_BYTES) frames++;
    return frame;
  };
  for (const tunnel of tunnels)
    sendAll(tunnel, reading(tunnel), systemRandom.bytes(tunnel === tunnels[0] ? 6 * MIB : MIB));
  const nineDone = (): boolean => {
    queued = Math.max(queued, world.relays[0]?.relay.stats().queuedFrames ?? 0);
    return ends.slice(1).every(({ length }) => length === MIB);
  };
  await until(nineDone, "the nine others were held up");
  if (stalls) assert.equal(ends[0]?.length, 0);
  return { frames, queued };
}

test("ten downloaders on one gate, one of them stalls: the nine others need no more frames, and the gate holds no more", async () => {
  const calm = await framesForNine(false);
  const stalled = await framesForNine(true);
  // Without the stall the first downloader's 6 MiB share the wires with the others'.
  assert.ok(stalled.frames <= calm.frames, `${stalled.frames} frames instead of ${calm.frames}`);
  assert.ok(stalled.queued <= 10 * LIMITS.streamFrames, `${stalled.queued} frames queued at the gate`);
});

test("when the seeder's wires are cut its tunnels end, and after a while it is found again", async () => {
  const { world, seed, finderFor, gates, clock } = newCity();
  const share = newShare();
  const { tunnels } = seed(share, newSeeder(share.sharerKeys));
  await until(() => gates.every(({ gate }) => gate.registrations === 1), "not registered");
  const finder = finderFor(share);
  const [found] = await findAll(finder, 1);
  const near = reading(found?.tunnel as ByteDuplex);
  reading(tunnels[0] as ByteDuplex);
  for (const link of world.network.links) link.kill();
  await until(() => near.closed === 1, "the downloader was not told");
  await pass(clock, 3 * 60_000, 10_000);
  assert.ok(gates.some(({ gate }) => gate.registrations === 1));
  assert.equal((await findAll(finderFor(share), 1)).length, 1);
});
