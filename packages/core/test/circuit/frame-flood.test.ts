import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { SERVICE } from "../../src/circuit/stream.ts";
import type { Channel } from "../../src/net/channel.ts";
import { FRAME, frameType, makeFrame, type FrameType } from "../../src/net/frame.ts";
import { createCircuitWorld, settle, type WorldRelay } from "../support/circuit-world.ts";

const FLOOD = 5_000;
/** As many as a channel takes before the event loop has had a turn. */
const BURST = 16;
/** As ids of whoever dialled are. */
const CIRCUIT = 0x8000_0001;

/** A relay with one honest circuit, and a stranger with a channel of its own who sends whatever it likes, as fast as memory takes it. */
async function newFlood() {
  const world = createCircuitWorld({ relayCount: 1 });
  const { relay, target, services } = world.relays[0] as WorldRelay;
  let arrived = 0;
  services[SERVICE.connect] = (stream) => ({
    onData: () => {
      arrived++;
      stream.consumed(1);
    },
    onWindow() {},
    onEnd() {},
  });
  const honest = await world.build(0);
  const stream = honest.openStream(SERVICE.connect, Buffer.alloc(0), {
    onData() {},
    onWindow() {},
    onEnd() {},
  });
  const answers = new Map<number, number>();
  let over = false;
  const channel: Channel = await world.network.createDialer({ networkId: 7 }).dial({ ...target });
  channel.start({
    onFrame: (frame) => void answers.set(frameType(frame), (answers.get(frameType(frame)) ?? 0) + 1),
    onDrain() {},
    onClose: () => (over = true),
  });
  await settle();
  return {
    relay,
    answers,
    /** Whether the relay hung up. */
    isOver: () => over,
    async send(makeOne: (index: number) => Buffer): Promise<void> {
      for (let index = 0; index < FLOOD; index++) {
        channel.send(makeOne(index));
        if (index % BURST === BURST - 1) await settle();
      }
      await settle();
    },
    /** The honest circuit is as good as before, and nothing that the stranger sent stays with the relay. */
    async check(): Promise<void> {
      const before = arrived;
      stream.send(Buffer.from("still here"));
      await settle();
      assert.equal(arrived, before + 1);
      const { circuits, queuedFrames } = relay.stats();
      assert.deepEqual([honest.alive, queuedFrames], [true, 0]);
      assert.ok(circuits <= 1 + LIMITS.handshakeBurstPerClient);
    },
  };
}

function junk(type: FrameType, circuit: number): Buffer {
  const frame = makeFrame(type, circuit);
  systemRandom.bytes(64).copy(frame, 8);
  return frame;
}

test("frames for circuits that are not there are dropped at line rate and leave nothing", async () => {
  const flood = await newFlood();
  for (const type of [FRAME.data, FRAME.control, FRAME.created, FRAME.destroy] as const) {
    await flood.send((index) => junk(type, CIRCUIT + index));
  }
  assert.deepEqual([flood.isOver(), flood.answers.size], [false, 0]);
  await flood.check();
});

/** Would catch: a relay that does a handshake's work for everything that calls itself CREATE. */
test("CREATEs that are noise are refused, most of them without any work", async () => {
  const flood = await newFlood();
  await flood.send((index) => junk(FRAME.create, CIRCUIT + index));
  assert.equal(flood.answers.get(FRAME.destroy), FLOOD);
  assert.equal(flood.relay.stats().refusedCircuits, FLOOD);
  await flood.check();
});

test("what no honest neighbour sends ends the channel at the first frame, and what follows is not read", async () => {
  const cases: [string, (index: number) => Buffer][] = [
    ["a flag", (index) => Object.assign(junk(FRAME.data, CIRCUIT + index), { 5: 1 })],
    ["an unknown type", (index) => Object.assign(junk(FRAME.control, CIRCUIT + index), { 4: 200 })],
    ["a second HELLO", () => makeFrame(FRAME.hello, 0)],
    ["PINGs without end", () => makeFrame(FRAME.ping, 0)],
    ["a PONG for nothing", () => makeFrame(FRAME.pong, 0)],
    ["DATA outside of a circuit", () => makeFrame(FRAME.data, 0)],
    ["a circuit in the relay's own range", () => junk(FRAME.create, 5)],
  ];
  for (const [name, makeOne] of cases) {
    const flood = await newFlood();
    await flood.send(makeOne);
    assert.ok(flood.isOver(), name);
    assert.ok((flood.answers.get(FRAME.pong) ?? 0) <= LIMITS.channelPings, name);
    await flood.check();
  }
});
