import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { SERVICE, type Circuit, type CircuitStream } from "../../src/circuit/stream.ts";
import { FRAME, frameBody, frameBytes, frameType, isData, type FrameType } from "../../src/net/frame.ts";
import type { Direction, MemoryLink } from "../../src/net/memory-channel.ts";
import { createCircuitWorld, settle, type CircuitWorld, type WorldRelay } from "../support/circuit-world.ts";

const HOPS = [0, 1, 2];

interface Bench {
  readonly world: CircuitWorld;
  readonly circuit: Circuit;
  readonly near: CircuitStream;
  readonly far: CircuitStream;
  /** Payloads that arrived, at either end. */
  readonly got: { near: number; far: number };
}

/** A circuit of three hops with one open stream. */
async function bench(): Promise<Bench> {
  const world = createCircuitWorld({ relayCount: 3 });
  const got = { near: 0, far: 0 };
  let far: CircuitStream | undefined;
  (world.relays[2] as WorldRelay).services[SERVICE.connect] = (stream) => {
    far = stream;
    return { onData: () => got.far++, onWindow() {}, onEnd() {} };
  };
  const circuit = await world.build(...HOPS);
  const near = circuit.openStream(SERVICE.connect, Buffer.alloc(0), {
    onData: () => got.near++,
    onWindow() {},
    onEnd() {},
  });
  await settle();
  return { world, circuit, near, far: far as CircuitStream, got };
}

/** Which link a frame is on: 0 from client to guard, then 1, 2. */
function linkNumber(world: CircuitWorld, link: MemoryLink): number {
  return world.relays.findIndex(({ target }) => target.nodeKey.equals(link.listenerKey));
}

/** Changes the first frame of a type on a link in one direction; gives what was seen there, on all links, after that. */
function tamper(
  world: CircuitWorld,
  where: { link: number; direction: Direction; type: FrameType },
  change: (frame: Buffer) => Buffer | undefined,
): { link: number; direction: Direction; frame: Buffer }[] {
  const seen: { link: number; direction: Direction; frame: Buffer }[] = [];
  let done = false;
  world.network.tap = (frame, direction, link) => {
    const number = linkNumber(world, link);
    if (!done && number === where.link && direction === where.direction && frameType(frame) === where.type) {
      done = true;
      return change(frame);
    }
    if (done) seen.push({ link: number, direction, frame: Buffer.from(frame) });
    return frame;
  };
  return seen;
}

function flip(at: number): (frame: Buffer) => Buffer {
  return (frame) => {
    frame[at] = (frame[at] as number) ^ 0x10;
    return frame;
  };
}

/** Makes one frame of the type go that way. */
function provoke({ near, far }: Bench, direction: Direction, type: FrameType): void {
  const from = direction === "forward" ? near : far;
  if (type === FRAME.control) from.end();
  else from.send(Buffer.alloc(type === FRAME.data ? 10_000 : 100, 1));
}

async function diesEverywhere({ world, circuit, got }: Bench): Promise<void> {
  await settle();
  assert.equal(circuit.alive, false);
  assert.deepEqual(got, { near: 0, far: 0 });
  for (const { relay } of world.relays) assert.equal(relay.stats().circuits, 0);
}

for (const direction of ["forward", "backward"] as const) {
  for (const type of [FRAME.data, FRAME.shortData, FRAME.control] as const) {
    const length = frameBytes(type);
    for (const link of HOPS) {
      const sealedEnd = length - 17 * link;
      const name = `${direction}, link ${link}, type ${type}`;

      test(`a flipped bit ends the circuit, wherever in the sealed part: ${name}`, async () => {
        for (const at of [8, 9, 1000, sealedEnd - 17, sealedEnd - 16, sealedEnd - 1]) {
          const setup = await bench();
          tamper(setup.world, { link, direction, type }, flip(at));
          provoke(setup, direction, type);
          await diesEverywhere(setup);
        }
      });

      if (link > 0) {
        // The mark that two colluding relays would leave for each other in what no layer covers.
        test(`a mark in filler is gone behind the next hop: ${name}`, async () => {
          const setup = await bench();
          const seen = tamper(setup.world, { link, direction, type }, (frame) => frame.fill(0x5a, sealedEnd));
          provoke(setup, direction, type);
          await settle();
          assert.equal(setup.circuit.alive, true);
          if (isData(type)) assert.equal(setup.got.near + setup.got.far, 1);
          const nextLink = direction === "forward" ? link + 1 : link - 1;
          for (const { frame } of seen.filter(
            (one) => one.link === nextLink && frameType(one.frame) === type,
          )) {
            assert.ok(frame.subarray(length - 17 * nextLink).every((byte) => byte === 0));
          }
        });
      }
    }
  }
}

test("frames that are lost, repeated or swapped end the circuit", async () => {
  for (const link of HOPS) {
    for (const direction of ["forward", "backward"] as const) {
      const lost = await bench();
      tamper(lost.world, { link, direction, type: FRAME.data }, () => undefined);
      provoke(lost, direction, FRAME.data);
      await settle();
      provoke(lost, direction, FRAME.data);
      await diesEverywhere(lost);

      const repeated = await bench();
      let first: Buffer | undefined;
      repeated.world.network.tap = (frame, way, on) => {
        if (frameType(frame) !== FRAME.data || way !== direction || linkNumber(repeated.world, on) !== link)
          return frame;
        first ??= Buffer.from(frame);
        return Buffer.from(first);
      };
      provoke(repeated, direction, FRAME.data);
      await settle();
      assert.equal(repeated.got.near + repeated.got.far, 1);
      provoke(repeated, direction, FRAME.data);
      await settle();
      assert.equal(repeated.circuit.alive, false);
      assert.equal(repeated.got.near + repeated.got.far, 1, "the repeated frame was not taken again");
    }
  }
});

test("flags, and credit beyond what may be granted, cost the neighbour its channel", async () => {
  for (const at of [5, 6]) {
    const setup = await bench();
    tamper(setup.world, { link: 1, direction: "backward", type: FRAME.data }, flip(at));
    provoke(setup, "backward", FRAME.data);
    await diesEverywhere(setup);
    assert.ok(![...setup.world.network.links].some((link) => linkNumber(setup.world, link) === 1));
  }
});

test("a reason of DESTROY does not get past an honest hop, nor does anything behind it", async () => {
  const { world, circuit } = await bench();
  const seen = tamper(world, { link: 1, direction: "forward", type: FRAME.destroy }, (frame) =>
    frame.fill(0x77, 8),
  );
  circuit.destroy();
  await settle();
  const passedOn = seen.filter(({ frame }) => frameType(frame) === FRAME.destroy);
  assert.deepEqual(
    passedOn.map(({ link }) => link),
    [2],
  );
  assert.deepEqual(
    frameBody(passedOn[0]?.frame as Buffer),
    Buffer.concat([Buffer.of(2), Buffer.alloc(2039)]),
  );
});

test("only the neighbour that a broken frame came from hears what was wrong", async () => {
  const setup = await bench();
  const seen = tamper(setup.world, { link: 1, direction: "forward", type: FRAME.data }, flip(100));
  provoke(setup, "forward", FRAME.data);
  await settle();
  const reasons = seen
    .filter(({ frame }) => frameType(frame) === FRAME.destroy)
    .map(({ link, frame }) => `link ${link} reason ${frameBody(frame)[0]}`);
  assert.deepEqual(reasons.sort(), ["link 0 reason 2", "link 1 reason 4", "link 2 reason 2"]);
});

test("what stands behind a handshake message is not passed on", async () => {
  const world = createCircuitWorld({ relayCount: 3 });
  const ends: Buffer[] = [];
  world.network.tap = (frame, _, link) => {
    const type = frameType(frame);
    const used = type === FRAME.create ? 1344 : 1184;
    if (type !== FRAME.create && type !== FRAME.created) return frame;
    if (linkNumber(world, link) === 2) ends.push(Buffer.from(frameBody(frame).subarray(used)));
    return frame.fill(0x66, 8 + used);
  };
  const circuit = await world.build(...HOPS);
  assert.equal(circuit.hopCount, 3);
  assert.equal(ends.length, 2);
  for (const end of ends) assert.ok(end.every((byte) => byte === 0));
});

test("a blocked hop holds what was granted: no relay's queue passes that, and no sender goes on", async () => {
  const { world, near, got } = await bench();
  let onGuardLink = 0;
  world.network.tap = (frame, direction, link) => {
    const number = linkNumber(world, link);
    if (number === 0 && direction === "forward" && isData(frameType(frame))) onGuardLink++;
    // Nothing comes back from the last hop, so no credit does.
    return number === 2 && direction === "backward" ? undefined : frame;
  };
  let sent = 0;
  while (near.sendWindow > 0) {
    for (; near.sendWindow > 0; sent++) near.send(Buffer.alloc(10));
    await settle();
  }
  assert.equal(sent, LIMITS.streamFrames);
  assert.equal(got.far, LIMITS.circuitFrames);
  assert.equal(onGuardLink, LIMITS.streamFrames);
  const { queuedFrames } = (world.relays[1] as WorldRelay).relay.stats();
  assert.equal(queuedFrames, LIMITS.streamFrames - LIMITS.circuitFrames);
});
