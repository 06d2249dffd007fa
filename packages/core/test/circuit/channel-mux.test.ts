import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { ChannelMux } from "../../src/circuit/channel-mux.ts";
import { DESTROY_REASON } from "../../src/circuit/control.ts";
import type { FrameSource, Leg, LegEvents } from "../../src/circuit/leg.ts";
import { FRAME, frameBody, frameCircuit, frameCredit, frameType, makeFrame } from "../../src/net/frame.ts";
import { credits } from "../support/credits.ts";
import { FakeChannel } from "./fake-channel.ts";

/** Gives as many frames as it was told, with a number in each. */
class Source implements FrameSource {
  waiting = 0;
  #given = 0;

  take(): Buffer {
    this.waiting--;
    const frame = makeFrame(FRAME.data, 0xdead);
    frame.fill(0xff, 0, 8);
    frameBody(frame).writeUInt32BE(this.#given++, 0);
    return frame;
  }
}

class Events implements LegEvents {
  data = 0;
  control = 0;
  created = 0;
  gone = 0;
  onData(): void {
    this.data++;
  }
  onControl(): void {
    this.control++;
  }
  onCreated(): void {
    this.created++;
  }
  onGone(): void {
    this.gone++;
  }
}

interface Opened {
  readonly leg: Leg;
  readonly source: Source;
  readonly events: Events;
}

/** A leg of ours that the neighbour has answered. */
function opened(channel: FakeChannel, mux: ChannelMux): Opened {
  const leg = mux.open();
  const source = new Source();
  const events = new Events();
  leg.start(events, source);
  leg.sendCreate(Buffer.alloc(1344, 1));
  channel.receive(makeFrame(FRAME.created, leg.id));
  assert.equal(events.created, 1);
  channel.sent.length = 0;
  return { leg, source, events };
}

const sentBy = (channel: FakeChannel): number[] => channel.sent.map(frameCircuit);
const violated = (channel: FakeChannel): boolean => isBackroomError(channel.closedWith, "E_FRAME");

test("circuits take turns, a frame each, CONTROL first, and stop when the channel is full", () => {
  const channel = new FakeChannel(true);
  const mux = new ChannelMux(channel, credits());
  const [a, b, c] = [opened(channel, mux), opened(channel, mux), opened(channel, mux)];
  channel.drain(0);
  channel.send(makeFrame(FRAME.data, a.leg.id));
  a.source.waiting = 1;
  a.leg.wake();
  channel.sent.length = 0;
  for (const { leg, source } of [a, b, c]) {
    source.waiting = 3;
    leg.wake();
  }
  b.leg.sendControl(makeFrame(FRAME.control, 0));
  assert.deepEqual(sentBy(channel), []);
  channel.drain(5);
  assert.deepEqual(
    sentBy(channel),
    [a, b, c, a, b].map(({ leg }) => leg.id),
  );
  assert.equal(frameType(channel.sent[1] as Buffer), FRAME.control);
  channel.drain(Infinity);
  assert.equal(channel.sent.length, 10);
});

test("a circuit without credit costs the others nothing, and goes on when credit comes", () => {
  const channel = new FakeChannel(true);
  const mux = new ChannelMux(channel, credits());
  const [stalled, other] = [opened(channel, mux), opened(channel, mux)];
  stalled.source.waiting = 200;
  stalled.leg.wake();
  assert.equal(channel.sent.length, LIMITS.circuitFrames);
  other.source.waiting = 2;
  other.leg.wake();
  assert.equal(channel.sent.length, LIMITS.circuitFrames + 2);
  channel.receive(makeFrame(FRAME.credit, stalled.leg.id, 5));
  assert.equal(channel.sent.length, LIMITS.circuitFrames + 7);
});

test("headers are written anew: nothing of what a frame had there gets out", () => {
  const channel = new FakeChannel(true);
  const mux = new ChannelMux(channel, credits());
  const { leg, source } = opened(channel, mux);
  source.waiting = 1;
  leg.wake();
  const header = (channel.sent[0] as Buffer).subarray(0, 8);
  assert.deepEqual(header, makeFrame(FRAME.data, leg.id).subarray(0, 8));
});

test("credit is given back with the next frame, or by itself once there is enough", () => {
  const channel = new FakeChannel(true);
  const mux = new ChannelMux(channel, credits());
  const { leg, source, events } = opened(channel, mux);
  for (let frame = 0; frame < LIMITS.circuitFrames; frame++) channel.receive(makeFrame(FRAME.data, leg.id));
  assert.equal(events.data, LIMITS.circuitFrames);
  leg.release();
  assert.equal(channel.sent.length, 0);
  source.waiting = 1;
  leg.wake();
  assert.deepEqual(
    channel.sent.map((frame) => [frameType(frame), frameCredit(frame)]),
    [[FRAME.data, 1]],
  );
  // Half of a window that is as small as this one, the whole batch of larger ones.
  const batch = Math.min(LIMITS.creditBatch, LIMITS.circuitFrames >>> 1);
  for (let frame = 0; frame < batch; frame++) leg.release();
  assert.deepEqual(
    [frameType(channel.sent[1] as Buffer), frameCredit(channel.sent[1] as Buffer)],
    [FRAME.credit, batch],
  );
  // Exactly what was granted may come now, and one more may not.
  for (let frame = 0; frame < batch + 1; frame++) channel.receive(makeFrame(FRAME.data, leg.id));
  assert.equal(channel.closedWith, "open");
  channel.receive(makeFrame(FRAME.data, leg.id));
  assert.ok(violated(channel));
  assert.equal(events.gone, 1);
});

test("who sends more than was granted loses the channel", () => {
  const channel = new FakeChannel(true);
  const mux = new ChannelMux(channel, credits());
  const { leg, events } = opened(channel, mux);
  for (let frame = 0; frame <= LIMITS.circuitFrames; frame++) channel.receive(makeFrame(FRAME.data, leg.id));
  assert.ok(violated(channel));
  assert.deepEqual([events.data, events.gone], [LIMITS.circuitFrames, 1]);
});

for (const type of [FRAME.data, FRAME.control, FRAME.credit]) {
  test(`grants may add up to the bound, and who grants one more loses the channel: type ${type}`, () => {
    const channel = new FakeChannel(true);
    const mux = new ChannelMux(channel, credits());
    const { leg, source } = opened(channel, mux);
    source.waiting = 3;
    leg.wake();
    channel.receive(makeFrame(type, leg.id, LIMITS.circuitFramesMost - LIMITS.circuitFrames + 3));
    assert.equal(channel.closedWith, "open");
    channel.receive(makeFrame(type, leg.id, 1));
    assert.ok(violated(channel));
  });
}

test("what makes no sense closes the channel", () => {
  const cases: ((leg: Leg) => Buffer)[] = [
    (leg) => makeFrame(FRAME.credit, leg.id),
    (leg) => makeFrame(FRAME.created, leg.id),
    (leg) => makeFrame(FRAME.create, leg.id),
    () => makeFrame(FRAME.create, 1),
    () => makeFrame(FRAME.create, 0x8000_0999),
  ];
  for (const make of cases) {
    const channel = new FakeChannel(true);
    const mux = new ChannelMux(channel, credits());
    const { leg } = opened(channel, mux);
    channel.receive(make(leg));
    assert.ok(violated(channel));
  }
  for (const type of [FRAME.data, FRAME.control, FRAME.credit]) {
    const channel = new FakeChannel(true);
    const leg = new ChannelMux(channel, credits()).open();
    channel.receive(makeFrame(type, leg.id, 1));
    assert.ok(violated(channel), "before CREATED nothing may come");
  }
});

test("ids carry the bit of who opened, count up, and are free again only after all others", () => {
  const ours = new ChannelMux(new FakeChannel(true), credits());
  assert.deepEqual([ours.open().id, ours.open().id], [0x8000_0001, 0x8000_0002]);
  const theirs = new ChannelMux(new FakeChannel(false), credits());
  const first = theirs.open();
  first.destroy(DESTROY_REASON.done);
  assert.equal(theirs.open().id, 2);
});

test("a destroyed circuit is gone at once: late frames for it are ignored, queued ones are not sent", () => {
  const channel = new FakeChannel(true);
  const mux = new ChannelMux(channel, credits());
  const { leg, source, events } = opened(channel, mux);
  channel.room = 0;
  channel.send(makeFrame(FRAME.ping, 0));
  source.waiting = 5;
  leg.wake();
  channel.sent.length = 0;
  leg.destroy(DESTROY_REASON.broken);
  channel.drain(Infinity);
  for (const type of [FRAME.data, FRAME.control, FRAME.credit, FRAME.created, FRAME.destroy]) {
    channel.receive(makeFrame(type, leg.id, 1));
  }
  assert.equal(channel.closedWith, "open");
  assert.deepEqual([events.data, events.control, events.gone], [0, 0, 0]);
  const types = channel.sent.map(frameType);
  assert.equal(types.filter((type) => type === FRAME.destroy).length, 1);
});

test("a neighbour opens no more circuits than it may", () => {
  const channel = new FakeChannel(false);
  let created = 0;
  const mux = new ChannelMux(channel, credits(), { onCreate: () => created++ });
  for (let id = 1; id <= LIMITS.circuitsPerClient + 3; id++)
    channel.receive(makeFrame(FRAME.create, 0x8000_0000 + id));
  assert.deepEqual([created, mux.circuitCount], [LIMITS.circuitsPerClient, LIMITS.circuitsPerClient]);
  assert.deepEqual(
    channel.sent.map((frame) => [frameType(frame), frameBody(frame)[0]]),
    [1, 2, 3].map(() => [FRAME.destroy, DESTROY_REASON.refused]),
  );
});

/** Would catch: refusals that pile up for a neighbour that opens circuits and never reads: 2 KiB in memory for each 2 KiB sent. */
test("a neighbour that does not read makes no frames wait, whatever it opens", () => {
  const channel = new FakeChannel(false);
  const mux = new ChannelMux(channel, credits(), { onCreate: (leg) => leg.sendCreated(Buffer.alloc(100)) });
  channel.drain(1);
  const open = (number: number): void => channel.receive(makeFrame(FRAME.create, 0x8000_0000 + number));
  const most = LIMITS.circuitsPerClient + LIMITS.destroysWaiting;
  for (let number = 1; number <= most; number++) open(number);
  assert.equal(channel.sent.length, 1, "the one that there was room for");
  assert.equal(channel.closedWith, "open");
  channel.drain(Infinity);
  const types = channel.sent.map(frameType);
  assert.equal(types.filter((type) => type === FRAME.created).length, LIMITS.circuitsPerClient);
  assert.equal(types.filter((type) => type === FRAME.destroy).length, LIMITS.destroysWaiting);
  channel.drain(0);
  for (let number = 1; number <= LIMITS.destroysWaiting + 2; number++) open(most + number);
  assert.ok(isBackroomError(channel.closedWith, "E_CHANNEL"));
  assert.equal(mux.closed, true);
});

/** Would catch: a relay's channel, which carries everybody's circuits, without any bound; from either side. */
test("a channel between relays carries so many circuits, whoever opens them", () => {
  const channel = new FakeChannel(false, Buffer.alloc(32, 1));
  let created = 0;
  const mux = new ChannelMux(channel, credits(), { onCreate: () => created++ });
  for (let id = 1; id <= LIMITS.circuitsPerRelay + 3; id++)
    channel.receive(makeFrame(FRAME.create, 0x8000_0000 + id));
  assert.equal(created, LIMITS.circuitsPerRelay);
  assert.throws(
    () => mux.open(),
    (error) => isBackroomError(error, "E_CIRCUIT"),
  );
});
