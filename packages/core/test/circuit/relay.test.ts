import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import { SERVICE, type CircuitStream, type ServedCircuit } from "../../src/circuit/stream.ts";
import { ChannelPool } from "../../src/circuit/channel-pool.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { DATA_FRAME_BYTES, FRAME, frameType, OTHER_FRAME_BYTES } from "../../src/net/frame.ts";
import { createCircuitWorld, settle, type WorldRelay } from "../support/circuit-world.ts";

const QUIET = { onData() {}, onWindow() {}, onEnd() {} };
const isCircuit = (error: unknown): boolean => isBackroomError(error, "E_CIRCUIT");

test("a client that builds without end is refused for a while; its circuits and other clients go on", async () => {
  const world = createCircuitWorld({ relayCount: 1 });
  const target = (world.relays[0] as WorldRelay).target;
  const alive = [];
  for (let count = 0; count < LIMITS.handshakeBurstPerClient; count++) alive.push(await world.build(0));
  await assert.rejects(world.build(0), isCircuit);
  assert.ok(alive.every((circuit) => circuit.alive));
  await buildCircuit(world.newClient(), [target]);
  assert.equal(world.relays[0]?.relay.stats().refusedCircuits, 1);
  world.clock.advance(1000);
  for (let count = 0; count < LIMITS.handshakesPerSecondPerClient; count++) await world.build(0);
  await assert.rejects(world.build(0), isCircuit);
});

/** Would catch: a relay that tells its operator of 112 KiB carried for each question of a few bytes. */
test("a relay says how many bytes it carried: short frames are short", async () => {
  const world = createCircuitWorld({ relayCount: 2 });
  const [first, last] = world.relays as [WorldRelay, WorldRelay];
  last.services[SERVICE.directory] = () => QUIET;
  const stream = (await world.build(0, 1)).openStream(SERVICE.directory, Buffer.alloc(0), QUIET);
  for (let count = 0; count < 3; count++) stream.send(Buffer.alloc(100));
  await settle();
  assert.equal(first.relay.stats().forwardedBytes, 3 * OTHER_FRAME_BYTES);
  stream.send(Buffer.alloc(10_000));
  await settle();
  assert.equal(first.relay.stats().forwardedBytes, 3 * OTHER_FRAME_BYTES + DATA_FRAME_BYTES);
});

test("extensions under way are bounded for each neighbour, and their places come back", async () => {
  const world = createCircuitWorld({ relayCount: 2 });
  const client = world.client;
  const target = world.relays.map((one) => one.target);
  // The second relay's answers get lost, so every extension waits.
  world.network.tap = (frame, direction, link) =>
    frameType(frame) === FRAME.created &&
    direction === "backward" &&
    link.listenerKey.equals(target[1]?.nodeKey as Buffer)
      ? undefined
      : frame;
  const outcomes: string[] = [];
  const attempts = [];
  for (let count = 0; count < LIMITS.extendsPerClient + 2; count++) {
    attempts.push(
      buildCircuit(client, target).then(
        () => outcomes.push("built"),
        (error: Error) => outcomes.push(error.message),
      ),
    );
    await settle();
  }
  assert.equal(outcomes.length, 2, "those beyond the bound fail at once");
  await world.clock.pass(LIMITS.extendMs);
  await Promise.all(attempts);
  assert.deepEqual(new Set(outcomes), new Set(["hop 2 of the circuit could not be reached"]));
  world.network.tap = undefined;
  assert.equal((await buildCircuit(client, target)).hopCount, 2);
});

test("a closed relay ends every circuit through it and answers nobody", async () => {
  const world = createCircuitWorld({ relayCount: 3 });
  const circuit = await world.build(0, 1, 2);
  (world.relays[1] as WorldRelay).relay.close();
  await settle();
  assert.equal(circuit.alive, false);
  await assert.rejects(world.build(0, 1), isCircuit);
  for (const { relay } of world.relays) assert.equal(relay.stats().circuits, 0);
});

test("services learn when their circuit is gone, and may come and go", async () => {
  const world = createCircuitWorld({ relayCount: 1 });
  const { services } = world.relays[0] as WorldRelay;
  let gone = 0;
  let served: ServedCircuit | undefined;
  services[SERVICE.register] = (_stream, _args, circuit) => {
    served = circuit;
    circuit.onDestroyed(() => gone++);
    return QUIET;
  };
  const circuit = await world.build(0);
  circuit.openStream(SERVICE.register, Buffer.alloc(0), QUIET);
  await settle();
  delete services[SERVICE.register];
  const ends: unknown[] = [];
  circuit.openStream(SERVICE.register, Buffer.alloc(0), { ...QUIET, onEnd: (error) => ends.push(error) });
  await settle();
  assert.ok(isBackroomError(ends[0], "E_REFUSED"));
  assert.deepEqual([gone, served?.alive], [0, true]);
  circuit.destroy();
  await settle();
  assert.deepEqual([gone, served?.alive], [1, false]);
  assert.throws(() => served?.openStream(SERVICE.incoming, Buffer.alloc(0), QUIET), isCircuit);
});

test("opening and ending streams for long costs a circuit nothing: ids and places come back", async () => {
  const world = createCircuitWorld({ relayCount: 2 });
  (world.relays[1] as WorldRelay).services[SERVICE.connect] = () => QUIET;
  const circuit = await world.build(0, 1);
  for (let round = 0; round < 60; round++) {
    const opened: CircuitStream[] = [];
    for (let count = 0; count < 20; count++) {
      opened.push(circuit.openStream(SERVICE.connect, Buffer.alloc(0), QUIET));
    }
    for (const stream of opened) stream.end();
    await settle();
  }
  assert.ok(circuit.alive);
});

test("a circuit whose CONTROL cannot leave ends before it fills the memory", async () => {
  const world = createCircuitWorld({ relayCount: 1 });
  (world.relays[0] as WorldRelay).services[SERVICE.connect] = () => QUIET;
  const circuit = await world.build(0);
  // With frames a minute under way the channel fills up, and only the bound of CONTROL frames is left.
  world.network.delayMs = 60_000;
  const fill = (): void => {
    for (let opened = 0; opened < 2 * LIMITS.controlFrames && circuit.alive; opened++)
      circuit.openStream(SERVICE.connect, Buffer.alloc(0), QUIET).end();
  };
  try {
    fill();
  } catch (error) {
    // It may be a BEGIN for which there is no room, or an END, of which nobody is told.
    if (!isBackroomError(error, "E_CIRCUIT")) throw error;
  }
  assert.equal(circuit.alive, false);
});

/** Would catch: relays whose memory grows with each circuit that somebody fills and never reads. */
test("when too much waits in a relay, the circuit that holds most goes, and nobody else's", async () => {
  const world = createCircuitWorld({ relayCount: 1, mostQueuedBytes: 10 * 2_048 });
  const { relay, services, target } = world.relays[0] as WorldRelay;
  services[SERVICE.directory] = (stream) => {
    while (stream.sendWindow > 0) stream.send(Buffer.alloc(10));
    return QUIET;
  };
  // Both clients read, but what they tell of it gets lost: what they may be sent unasked leaves for each.
  world.network.tap = (frame, direction) =>
    frameType(frame) === FRAME.credit && direction === "forward" ? undefined : frame;
  const honest = await world.build(0);
  honest.openStream(SERVICE.directory, Buffer.alloc(0), QUIET);
  await settle();
  const held = relay.stats().queuedFrames;
  assert.ok(held > 0);
  const greedy = await buildCircuit(world.newClient(), [target]);
  // Each of them queues less as more waits, but never nothing.
  for (let count = 0; count < LIMITS.streamsUnanswered; count++)
    greedy.openStream(SERVICE.directory, Buffer.alloc(0), QUIET);
  await settle();
  assert.deepEqual([honest.alive, greedy.alive], [true, false]);
  assert.equal(relay.stats().queuedFrames, held);
  honest.destroy();
  await settle();
  assert.equal(relay.stats().queuedFrames, 0, "what went with the circuits was counted off");
});

/** Would catch: a key that anybody can make, and four channels, that take all places a relay has for circuits. */
test("who proves a key that no relay is known by gets no more than a client", async () => {
  const world = createCircuitWorld({ relayCount: 1 });
  const { relay, target } = world.relays[0] as WorldRelay;
  const identity = { nodeKeys: generateKeys("ed25519"), info: () => Buffer.alloc(0) };
  const dialer = world.network.createDialer({ networkId: 7, identity });
  const deps = { channels: new ChannelPool({ dialer, clock: world.clock }), clock: world.clock };
  for (let count = 0; count < LIMITS.handshakeBurstPerClient; count++) await buildCircuit(deps, [target]);
  await assert.rejects(buildCircuit(deps, [target]), isCircuit);
  for (let second = 0; second < 10; second++) {
    world.clock.advance(1000);
    for (let count = 0; count < LIMITS.handshakesPerSecondPerClient; count++) {
      await buildCircuit(deps, [target]).catch(() => {});
    }
  }
  assert.equal(relay.stats().circuits, LIMITS.circuitsPerClient);
});

/** Would catch: an address that is asked about on behalf of somebody who is not there: whoever asks through another relay is not at that one's door. */
test("where a client comes from is known of its own channel alone, not of a circuit through another relay", async () => {
  const world = createCircuitWorld({ relayCount: 2 });
  const seen: (string | undefined)[] = [];
  const [asked] = world.relays as [WorldRelay];
  const accept = asked.relay.accept.bind(asked.relay);
  asked.relay.accept = (channel) =>
    accept(Object.defineProperty(channel, "peerHost", { value: "198.51.100.7" }));
  asked.services[SERVICE.directory] = (_stream, _args, { clientHost }) => {
    seen.push(clientHost);
    return QUIET;
  };
  for (const hops of [[0], [1, 0]]) {
    (await world.build(...hops)).openStream(SERVICE.directory, Buffer.alloc(0), QUIET);
    await settle();
  }
  assert.deepEqual(seen, ["198.51.100.7", undefined]);
});
