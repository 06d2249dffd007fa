import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { isBackroomError, type BackroomError } from "../../src/base/errors.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import {
  SERVICE,
  type CircuitStream,
  type ServedCircuit,
  type StreamHandlers,
  STREAM_PAYLOAD_BYTES,
} from "../../src/circuit/stream.ts";
import { createCircuitWorld, settle, type CircuitWorld, type WorldRelay } from "../support/circuit-world.ts";

/** A stream's end with everything that happened to it. */
class Recorder implements StreamHandlers {
  stream: CircuitStream | undefined;
  readonly got: Buffer[] = [];
  readonly ends: (BackroomError | undefined)[] = [];
  windows = 0;
  /** Whether what comes is consumed at once. */
  reading = true;

  onData(payload: Buffer): void {
    assert.equal(this.ends.length, 0, "data after the end");
    this.got.push(Buffer.from(payload));
    if (this.reading) this.stream?.consumed(1);
  }

  onWindow(): void {
    this.windows++;
  }

  onEnd(error?: BackroomError): void {
    this.ends.push(error);
  }
}

function relayAt(world: CircuitWorld, number: number): WorldRelay {
  return world.relays[number] as WorldRelay;
}

/** Makes the relay accept streams of service 5 and gives what it accepted. */
function accepting(relay: WorldRelay): { recorders: Recorder[]; circuits: ServedCircuit[]; args: Buffer[] } {
  const seen = { recorders: [] as Recorder[], circuits: [] as ServedCircuit[], args: [] as Buffer[] };
  relay.services[SERVICE.connect] = (stream, args, circuit) => {
    const recorder = new Recorder();
    recorder.stream = stream;
    seen.recorders.push(recorder);
    seen.circuits.push(circuit);
    seen.args.push(Buffer.from(args));
    return recorder;
  };
  return seen;
}

function numbered(count: number, length: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const payload = Buffer.alloc(length, index);
    payload.writeUInt32BE(index, 0);
    return payload;
  });
}

/** Sends as the window allows until all of it is gone. */
async function sendAll(stream: CircuitStream, payloads: Buffer[]): Promise<void> {
  for (const payload of payloads) {
    while (stream.sendWindow === 0) await settle();
    stream.send(Buffer.from(payload));
  }
  await settle();
}

for (const hops of [1, 2, 3, 4]) {
  test(`a circuit of ${hops} hops carries a stream both ways, beyond every window`, async () => {
    const world = createCircuitWorld();
    const seen = accepting(relayAt(world, hops - 1));
    const circuit = await world.build(...Array.from({ length: hops }, (_, index) => index));
    assert.equal(circuit.hopCount, hops);
    const near = new Recorder();
    near.stream = circuit.openStream(SERVICE.connect, Buffer.from("tag"), near);
    const payloads = numbered(100, STREAM_PAYLOAD_BYTES);
    await sendAll(near.stream, payloads);
    const far = seen.recorders[0] as Recorder;
    assert.deepEqual(far.got, payloads);
    assert.deepEqual(seen.args, [Buffer.from("tag")]);
    await sendAll(far.stream as CircuitStream, payloads);
    assert.deepEqual(near.got, payloads);
    near.stream.end();
    await settle();
    assert.deepEqual([near.ends, far.ends], [[undefined], [undefined]]);
    circuit.destroy();
    await settle();
    for (const { relay } of world.relays) assert.equal(relay.stats().circuits, 0);
    assert.equal((seen.circuits[0] as ServedCircuit).alive, false);
  });
}

test("what was sent arrives before the end, though CONTROL overtakes DATA", async () => {
  const world = createCircuitWorld();
  const seen = accepting(relayAt(world, 2));
  const circuit = await world.build(0, 1, 2);
  const near = new Recorder();
  near.stream = circuit.openStream(SERVICE.connect, Buffer.alloc(0), near);
  // All that leaves at once, and all that waits.
  const count = Math.min(LIMITS.streamFrames, LIMITS.circuitFrames + LIMITS.streamQueueFrames);
  for (const payload of numbered(count, 1_000)) near.stream.send(payload);
  near.stream.end();
  assert.deepEqual(near.ends, [undefined]);
  await settle();
  const far = seen.recorders[0] as Recorder;
  assert.equal(far.got.length, count);
  assert.deepEqual(far.ends, [undefined]);
});

test("the last hop opens streams; a client that wants none refuses them", async () => {
  const world = createCircuitWorld();
  const seen = accepting(relayAt(world, 1));
  const circuit = await world.build(0, 1);
  circuit.openStream(SERVICE.connect, Buffer.alloc(0), new Recorder());
  await settle();
  const served = seen.circuits[0] as ServedCircuit;
  const refused = new Recorder();
  served.openStream(SERVICE.incoming, Buffer.from("x"), refused);
  await settle();
  assert.ok(isBackroomError(refused.ends[0], "E_REFUSED"));

  const near = new Recorder();
  circuit.onIncoming = (stream, args) => {
    assert.equal(args.toString(), "tag");
    near.stream = stream;
    return near;
  };
  const far = new Recorder();
  far.stream = served.openStream(SERVICE.incoming, Buffer.from("tag"), far);
  far.stream.send(Buffer.from("before it was accepted"));
  await settle();
  assert.deepEqual(near.got, [Buffer.from("before it was accepted")]);
  near.stream?.send(Buffer.from("answer"));
  await settle();
  assert.deepEqual(far.got, [Buffer.from("answer")]);
});

test("an unknown or unwilling service ends the stream with E_REFUSED and nothing else", async () => {
  const world = createCircuitWorld();
  relayAt(world, 1).services[SERVICE.scout] = () => undefined;
  const seen = accepting(relayAt(world, 1));
  const circuit = await world.build(0, 1);
  for (const service of [SERVICE.scout, SERVICE.leases, SERVICE.incoming] as const) {
    const near = new Recorder();
    const stream = circuit.openStream(service, Buffer.alloc(0), near);
    stream.send(Buffer.from("early"));
    await settle();
    assert.equal(near.ends.length, 1);
    assert.ok(isBackroomError(near.ends[0], "E_REFUSED"));
    stream.send(Buffer.from("late: dropped"));
  }
  circuit.openStream(SERVICE.connect, Buffer.alloc(0), new Recorder());
  await settle();
  assert.equal(seen.recorders.length, 1);
});

test("a reader that stalls holds what it granted and no more; others go on", async () => {
  const world = createCircuitWorld();
  const seen = accepting(relayAt(world, 2));
  const circuit = await world.build(0, 1, 2);
  const open = (): CircuitStream => circuit.openStream(SERVICE.connect, Buffer.alloc(0), new Recorder());
  const [stalled, other] = [open(), open()];
  await settle();
  const [stalledFar, otherFar] = seen.recorders as [Recorder, Recorder];
  stalledFar.reading = false;
  let sent = 0;
  for (let round = 0; round < 50; round++) {
    while (stalled.sendWindow > 0) {
      stalled.send(Buffer.alloc(100));
      sent++;
    }
    await settle();
  }
  assert.equal(sent, LIMITS.streamFrames);
  assert.equal(stalledFar.got.length, LIMITS.streamFrames);
  assert.throws(
    () => stalled.send(Buffer.alloc(1)),
    (error) => isBackroomError(error, "E_INTERNAL"),
  );
  await sendAll(other, numbered(300, 500));
  assert.equal(otherFar.got.length, 300);
  stalledFar.stream?.consumed(LIMITS.streamFrames);
  await settle();
  assert.equal(stalled.sendWindow, LIMITS.streamFrames);
  assert.equal(world.relays[0]?.relay.stats().queuedFrames, 0);
});

test("consuming more than was delivered is a caller's bug, not a grant", async () => {
  const world = createCircuitWorld();
  accepting(relayAt(world, 0));
  const circuit = await world.build(0);
  const stream = circuit.openStream(SERVICE.connect, Buffer.alloc(0), new Recorder());
  assert.throws(
    () => stream.consumed(1),
    (error) => isBackroomError(error, "E_INTERNAL"),
  );
});

test("a circuit that dies ends its streams first, each once, on both sides", async () => {
  const world = createCircuitWorld();
  const seen = accepting(relayAt(world, 2));
  const circuit = await world.build(0, 1, 2);
  const near = new Recorder();
  circuit.openStream(SERVICE.connect, Buffer.alloc(0), near);
  await settle();
  const order: string[] = [];
  const onEnd = near.onEnd.bind(near);
  near.onEnd = (error) => {
    order.push("stream");
    onEnd(error);
  };
  circuit.onDestroyed = (error) => {
    order.push(error?.code ?? "none");
  };
  const middle = [...world.network.links].find((link) =>
    link.listenerKey.equals(relayAt(world, 1).target.nodeKey),
  );
  middle?.kill();
  await settle();
  assert.deepEqual(order, ["stream", "E_CIRCUIT"]);
  assert.ok(isBackroomError(near.ends[0], "E_CIRCUIT"));
  assert.ok(isBackroomError((seen.recorders[0] as Recorder).ends[0], "E_CIRCUIT"));
  assert.equal(circuit.alive, false);
  assert.throws(
    () => circuit.openStream(SERVICE.connect, Buffer.alloc(0), near),
    (error) => isBackroomError(error, "E_CIRCUIT"),
  );
  circuit.destroy();
  assert.equal(order.length, 2);
});

test("circuits share a channel to the same guard, and relays reuse theirs in both directions", async () => {
  const world = createCircuitWorld();
  const circuits = await Promise.all([world.build(0, 1), world.build(0, 1, 2), world.build(0, 2)]);
  const [guard, second, third] = world.relays.map(({ relay }) => relay.stats());
  assert.deepEqual([guard?.channels, second?.channels, third?.channels], [3, 2, 2]);
  await buildCircuit(world.newClient(), [relayAt(world, 1).target, relayAt(world, 0).target]);
  assert.equal(
    world.relays[1]?.relay.stats().channels,
    3,
    "relay 1 reused the channel that relay 0 had opened",
  );
  for (const circuit of circuits) circuit.destroy();
  await settle();
  await world.clock.pass(3 * LIMITS.channelIdleMs);
  assert.equal(world.relays[2]?.relay.stats().channels, 0, "a channel without circuits goes after a while");
});

test("building fails with a reason that says to go elsewhere, and leaves nothing behind", async () => {
  const world = createCircuitWorld();
  const [first, second] = [relayAt(world, 0).target, relayAt(world, 1).target];
  const wrongKey = { ...second, onionKey: relayAt(world, 2).target.onionKey };
  const unknown = { ...second, info: Buffer.from("nobody") };
  for (const hops of [
    [wrongKey],
    [first, wrongKey],
    [first, unknown],
    [first, first],
    [first, second, first],
  ]) {
    await assert.rejects(buildCircuit(world.client, hops), (error) => isBackroomError(error, "E_CIRCUIT"));
  }
  await settle();
  for (const { relay } of world.relays) assert.equal(relay.stats().circuits, 0);
});

test("a relay that never answers costs the client no more than the time for a circuit", async () => {
  const world = createCircuitWorld();
  world.network.tap = (frame, direction) => (frame[4] === 3 && direction === "backward" ? undefined : frame);
  const building = world.build(0);
  const failed = assert.rejects(building, (error) => isBackroomError(error, "E_CIRCUIT"));
  await world.clock.pass(LIMITS.circuitBuildMs);
  await failed;
  assert.equal(relayAt(world, 0).relay.stats().circuits, 0);
});

test("a next hop that never answers fails the extension in time for the client to try another path", async () => {
  const world = createCircuitWorld();
  const behind = relayAt(world, 1).target.nodeKey;
  world.network.tap = (frame, direction, link) =>
    frame[4] === 3 && direction === "backward" && link.listenerKey.equals(behind) ? undefined : frame;
  const building = world.build(0, 1);
  await settle();
  const failed = assert.rejects(building, /hop 2/);
  await world.clock.pass(LIMITS.extendMs);
  await failed;
});

test("a circuit takes no new streams after an hour, drains, and ends after four", async () => {
  const world = createCircuitWorld();
  const seen = accepting(relayAt(world, 1));
  const circuit = await world.build(0, 1);
  const near = new Recorder();
  near.stream = circuit.openStream(SERVICE.connect, Buffer.alloc(0), near);
  await settle();
  const pass = (ms: number): Promise<void> => world.clock.pass(ms);
  await pass(LIMITS.circuitFreshMs + 10_000);
  assert.throws(
    () => circuit.openStream(SERVICE.connect, Buffer.alloc(0), new Recorder()),
    (error) => isBackroomError(error, "E_CIRCUIT"),
  );
  const served = seen.circuits[0] as ServedCircuit;
  assert.throws(() => served.openStream(SERVICE.incoming, Buffer.alloc(0), new Recorder()));
  near.stream.send(Buffer.from("still"));
  await settle();
  assert.equal((seen.recorders[0] as Recorder).got.length, 1);
  await pass(LIMITS.circuitLifeMs - LIMITS.circuitFreshMs);
  assert.equal(circuit.alive, false);
  assert.equal(relayAt(world, 1).relay.stats().circuits, 0);
});

test("a circuit that nobody uses at its last hop goes after a while", async () => {
  const world = createCircuitWorld();
  const circuit = await world.build(0, 1);
  await world.clock.pass(LIMITS.circuitIdleMs + 20_000);
  assert.equal(circuit.alive, false);
});

test("keys change under way without anybody noticing", async () => {
  const world = createCircuitWorld({ ratchetFrames: 7 });
  const seen = accepting(relayAt(world, 3));
  const circuit = await world.build(0, 1, 2, 3);
  const near = new Recorder();
  near.stream = circuit.openStream(SERVICE.connect, Buffer.alloc(0), near);
  const payloads = numbered(200, 900);
  await sendAll(near.stream, payloads);
  await sendAll((seen.recorders[0] as Recorder).stream as CircuitStream, payloads);
  assert.deepEqual((seen.recorders[0] as Recorder).got, payloads);
  assert.deepEqual(near.got, payloads);
});
