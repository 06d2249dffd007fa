import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import { SERVICE, STREAM_PAYLOAD_BYTES, type Circuit, type CircuitStream } from "../../src/circuit/stream.ts";
import { FRAME, frameType, setFrameCredit } from "../../src/net/frame.ts";
import { createCircuitWorld, settle, type WorldRelay } from "../support/circuit-world.ts";

const QUIET = { onData() {}, onWindow() {}, onEnd() {} };
const isCircuit = (error: unknown): boolean => isBackroomError(error, "E_CIRCUIT");

/** A transfer that goes on a little each time that it is asked to; tells how many payloads came. */
function liveTransfer(
  relay: WorldRelay,
  circuit: Circuit,
): { readonly frames: number; goOn(): Promise<number> } {
  const state = { frames: 0 };
  let sender: CircuitStream | undefined;
  relay.services[SERVICE.directory] = (stream) => {
    sender = stream;
    return { onData() {}, onWindow() {}, onEnd() {} };
  };
  const stream = circuit.openStream(SERVICE.directory, Buffer.alloc(0), {
    onData: () => {
      state.frames++;
      stream.consumed(1);
    },
    onWindow() {},
    onEnd() {},
  });
  return {
    get frames() {
      return state.frames;
    },
    /** How many of eight payloads came. */
    async goOn() {
      const before = state.frames;
      await settle();
      const to = sender as CircuitStream;
      for (let sent = 0; sent < 8 && to.sendWindow > 0; sent++) to.send(Buffer.alloc(16));
      await settle();
      return state.frames - before;
    },
  };
}

/** Would catch: a relay that drops or starves what it carries because others want in. */
test("a relay that is short on time refuses new circuits, and live transfers go on", async () => {
  let lagMs = 0;
  const world = createCircuitWorld({ relayCount: 1, lagMs: () => lagMs });
  const { relay, target } = world.relays[0] as WorldRelay;
  const live = await world.build(0);
  const transfer = liveTransfer(world.relays[0] as WorldRelay, live);
  lagMs = LIMITS.relayLagMs;
  for (let count = 0; count < 5; count++) {
    await assert.rejects(buildCircuit(world.newClient(), [target]), isCircuit);
    assert.equal(await transfer.goOn(), 8);
  }
  assert.deepEqual([live.alive, relay.stats().refusedCircuits], [true, 5]);
  lagMs = 0;
  await buildCircuit(world.newClient(), [target]);
});

/**
 * Real bounds and frames of full length, of which one stands in for all that wait: a relay counts them, and holds no copies. Would catch: bounds, or windows, by which a live circuit
 * ends while newcomers are still taken on.
 */
test("as more and more waits, newcomers are refused long before a live circuit is ended", async () => {
  const world = createCircuitWorld({ relayCount: 1 });
  const { relay, services, target } = world.relays[0] as WorldRelay;
  const payload = Buffer.alloc(STREAM_PAYLOAD_BYTES);
  const leaving = new Map<number, number>();
  services[SERVICE.directory] = (stream, _, { id }) => {
    // What leaves is given back, so that is their own.
    for (let own = leaving.get(id) ?? LIMITS.circuitFrames; stream.sendWindow > 0; leaving.set(id, --own))
      stream.send(own > 0 ? Buffer.from(payload) : payload);
    return QUIET;
  };
  // Nobody gives credit back.
  world.network.tap = (frame, direction) => {
    if (direction === "forward") setFrameCredit(frame, 0);
    return direction === "forward" && frameType(frame) === FRAME.credit ? undefined : frame;
  };
  const living: Circuit[] = [];
  let refusedAt: number | undefined;
  for (let round = 0; living.every(({ alive }) => alive); round++) {
    assert.ok(round < 2000, "nothing was ever too much");
    try {
      living.push(await buildCircuit(world.newClient(), [target]));
    } catch (error) {
      if (!isCircuit(error)) throw error;
      refusedAt ??= relay.stats().queuedBytes;
    }
    for (const circuit of living) {
      // A circuit that has all the streams it may is full.
      if (circuit.alive && round < LIMITS.streamsPerCircuit)
        circuit.openStream(SERVICE.directory, Buffer.alloc(0), QUIET);
    }
    await settle();
  }
  assert.ok(refusedAt !== undefined, "a live circuit was ended, and nobody had been refused");
  assert.ok(refusedAt < (LIMITS.relayQueueMostBytes * 7) / 8, `${refusedAt} bytes waited by then`);
});

/** Would catch: a flood of CREATEs that takes all of a relay's time, or makes an honest client wait for the flooders' turn. */
test("in a flood of handshakes live transfers go on, a bounded number is served, and who asks once gets in", async () => {
  const world = createCircuitWorld({ relayCount: 1 });
  const { relay, target } = world.relays[0] as WorldRelay;
  const transfer = liveTransfer(world.relays[0] as WorldRelay, await world.build(0));
  const flooders = Array.from({ length: LIMITS.handshakeBurstTotal / 8 }, () => world.newClient());
  const outcomes = { built: 0, failed: 0 };
  for (const client of flooders) {
    for (let count = 0; count < 16; count++) {
      buildCircuit(client, [target]).then(
        () => outcomes.built++,
        () => outcomes.failed++,
      );
    }
  }
  await settle();
  assert.equal(relay.stats().circuits, LIMITS.handshakeBurstTotal);
  const honest = buildCircuit(world.newClient(), [target]);
  assert.equal(await transfer.goOn(), 8, "the live transfer stands still");
  // Everybody's first waiting one is served before anybody's second.
  world.clock.advance((1_000 * (flooders.length + 8)) / LIMITS.handshakesPerSecondTotal);
  await settle();
  assert.ok((await honest).alive);
  assert.ok(relay.stats().circuits <= LIMITS.handshakeBurstTotal + flooders.length + 16);
});

/** Would catch: a relay that dials for strangers however often it did so already. */
test("an extension that needs a dial is refused when there were too many; one over a channel that is up is not", async () => {
  let mayDial = true;
  const world = createCircuitWorld({ relayCount: 3, mayDial: () => mayDial });
  const circuit = await world.build(0, 1);
  mayDial = false;
  await assert.rejects(world.build(0, 2), isCircuit);
  assert.equal((await world.build(0, 1)).hopCount, 2);
  assert.ok(circuit.alive);
});
