import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ByteDuplex } from "../../src/base/duplex.ts";
import { systemRandom } from "../../src/base/random.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { SwarmEvents } from "../../src/swarm/swarm.ts";
import { DATA_FRAME_BYTES, frameType, isData } from "../../src/net/frame.ts";
import { createCircuitWorld } from "../support/circuit-world.ts";
import { memberOf, samplePack, storeOf } from "../swarm/fixtures.ts";
import { newSeeder, newShare } from "./fixtures.ts";
import { findAll, newTown, servicesOf, settle } from "./town.ts";

/** One gate, 0, behind which a share is seeded; every circuit from a client of its own. */
async function seededGate() {
  const world = createCircuitWorld({ relayCount: 5 });
  const [gateRelay, ...others] = world.relays;
  const { gates, seed, finderFor } = newTown([(gateRelay as (typeof world.relays)[0]).target], {
    clock: world.clock,
    makeCircuit: (gate) => {
      const guard = others[systemRandom.below(2)];
      const second = others[2 + systemRandom.below(2)];
      return buildCircuit(world.newClient(), [
        (guard as (typeof others)[0]).target,
        (second as (typeof others)[0]).target,
        gate.target,
      ]);
    },
  });
  const [gate] = gates;
  Object.assign((gateRelay as (typeof world.relays)[0]).services, servicesOf(gate as (typeof gates)[0]));
  const share = newShare();
  const { tunnels } = seed(share, newSeeder(share.sharerKeys));
  for (let turn = 0; turn < 100 && gate?.gate.registrations !== 1; turn++) await settle(1);
  return {
    world,
    /** A new tunnel: the downloader's end and the seeder's. */
    dial: async (): Promise<[ByteDuplex, ByteDuplex]> => {
      const [found] = await findAll(finderFor(share), 1);
      return [found?.tunnel as ByteDuplex, tunnels.at(-1) as ByteDuplex];
    },
  };
}

/** A tunnel that is written to in pieces of these lengths in turn, and rests so many turns after each read. */
function cut(tunnel: ByteDuplex, lengths: readonly number[], restTurns: readonly number[]): ByteDuplex {
  let next = 0;
  let reads = 0;
  return {
    start: (handlers) =>
      tunnel.start({
        ...handlers,
        onData: (bytes) => {
          handlers.onData(bytes);
          let rest = restTurns[reads++ % restTurns.length] as number;
          if (rest === 0) return;
          tunnel.pause();
          const wait = (): unknown => (rest-- > 0 ? setImmediate(wait) : tunnel.resume());
          wait();
        },
        onDrain: () => handlers.onDrain(),
        onClose: (error) => handlers.onClose(error),
      }),
    write: (bytes) => {
      let writable = true;
      for (let at = 0; at < bytes.length;) {
        const length = lengths[next++ % lengths.length] as number;
        // Each in memory of its own: a tunnel gives back what it has sent.
        writable = tunnel.write(Buffer.from(bytes.subarray(at, at + length)));
        at += length;
      }
      return writable;
    },
    pause: () => tunnel.pause(),
    resume: () => tunnel.resume(),
    close: () => tunnel.close(),
  };
}

/** Would catch: memory that is given back while somebody still reads it, at any hop or end; short frames that overtake long ones, or count as they do not. */
test("whatever the lengths of writes and the pauses of readers, a swarm's bytes arrive through five relays as they are", async () => {
  const { world, dial } = await seededGate();
  const seen = { short: 0, long: 0 };
  world.network.tap = (frame) => {
    if (isData(frameType(frame))) seen[frame.length === DATA_FRAME_BYTES ? "long" : "short"]++;
    return frame;
  };
  const writes = fc.array(
    fc.oneof(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1_900, max: 8_000 }),
      fc.integer({ min: 60_000, max: 140_000 }),
    ),
    { minLength: 1, maxLength: 5 },
  );
  const rests = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 });
  const packBytes = fc.oneof(
    fc.integer({ min: 1, max: 9_000 }),
    fc.integer({ min: 100_000, max: 1_500_000 }),
  );
  await fc.assert(
    fc.asyncProperty(packBytes, writes, writes, rests, rests, async (length, up, down, near, far) => {
      const pack = samplePack(length);
      const lost = Promise.withResolvers<never>();
      const events: SwarmEvents = { onPeerClosed: (_, error) => error !== undefined && lost.reject(error) };
      const seeder = memberOf(await storeOf(pack), {}, events);
      const leecher = memberOf(new MemoryStore(pack.info), {}, events);
      try {
        const [mine, theirs] = await dial();
        seeder.swarm.addPeer(cut(theirs, down, far), { initiator: false });
        leecher.swarm.addPeer(cut(mine, up, near), { initiator: true });
        await Promise.race([leecher.complete, lost.promise]);
        assert.ok((await leecher.store.read(0, length)).equals(pack.bytes));
        assert.equal(leecher.swarm.stats().wastedBytes, 0);
      } finally {
        leecher.swarm.close();
        seeder.swarm.close();
        await settle();
      }
    }),
    { numRuns: 30 },
  );
  assert.ok(seen.short > 100 && seen.long > 100, `only ${seen.short} short frames, ${seen.long} long ones`);
  assert.equal(
    world.relays.reduce((sum, { relay }) => sum + relay.stats().queuedBytes, 0),
    0,
  );
});
