import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LIMITS } from "../../src/base/limits.ts";
import { isBackroomError, type BackroomError } from "../../src/base/errors.ts";
import { COMMAND, encodeBegin, encodeEnd, encodeWindow, type Command } from "../../src/circuit/control.ts";
import { StreamHub } from "../../src/circuit/stream-hub.ts";
import {
  SERVICE,
  STREAM_PAYLOAD_BYTES,
  type CircuitStream,
  type StreamHandlers,
} from "../../src/circuit/stream.ts";
import { credits } from "../support/credits.ts";
import { createCircuitWorld, settle } from "../support/circuit-world.ts";

/** A hub whose other end is the test. */
function hubAlone(accept: () => StreamHandlers | undefined = () => undefined): {
  hub: StreamHub;
  said: { command: Command; stream: number; payload: Buffer }[];
  accepted: CircuitStream[];
} {
  const said: { command: Command; stream: number; payload: Buffer }[] = [];
  const accepted: CircuitStream[] = [];
  const hub = new StreamHub(
    {
      sendControl: (command, stream, payload) => said.push({ command, stream, payload }),
      sealData: (stream, payload) => Buffer.concat([Buffer.of(stream), payload]),
      wake() {},
      accept(stream) {
        accepted.push(stream);
        return accept();
      },
    },
    "last hop",
    credits(),
  );
  return { hub, said, accepted };
}

function data(stream: number, text = "x"): Buffer {
  const head = Buffer.alloc(6);
  head[0] = 1;
  head.writeUInt16BE(stream, 1);
  head.writeUIntBE(text.length, 3, 3);
  return Buffer.concat([head, Buffer.from(text)]);
}

function handlers(): StreamHandlers & { got: number; windows: number; ends: (BackroomError | undefined)[] } {
  return {
    got: 0,
    windows: 0,
    ends: [],
    onData() {
      this.got++;
    },
    onWindow() {
      this.windows++;
    },
    onEnd(error) {
      this.ends.push(error);
    },
  };
}

const begin = (stream: number) => ({
  command: COMMAND.begin,
  stream,
  payload: encodeBegin(5, Buffer.alloc(0)),
});
const violates = (run: () => void): void => assert.throws(run, (error) => isBackroomError(error, "E_FRAME"));

test("who sends more than the window ends its own stream, with a reason, and no other", () => {
  const ends = [handlers(), handlers()];
  const left = [...ends];
  const { hub, said } = hubAlone(() => left.shift());
  hub.receiveControl(begin(1));
  hub.receiveControl(begin(2));
  for (let frame = 0; frame <= LIMITS.streamFrames; frame++) hub.receiveData(data(1));
  const [greedy, other] = ends as [ReturnType<typeof handlers>, ReturnType<typeof handlers>];
  assert.equal(greedy.got, LIMITS.streamFrames);
  assert.ok(isBackroomError(greedy.ends[0], "E_FRAME"));
  assert.deepEqual(said.at(-1), { command: COMMAND.end, stream: 1, payload: encodeEnd(2, 0) });
  hub.receiveData(data(2));
  assert.deepEqual([other.got, other.ends.length, hub.streamCount], [1, 0, 1]);
});

test("exactly what was consumed is granted anew", () => {
  const end = handlers();
  const { hub, said, accepted } = hubAlone(() => end);
  hub.receiveControl(begin(1));
  said.length = 0;
  for (let frame = 0; frame < 7; frame++) hub.receiveData(data(1));
  // Half of a window that is as small as this one, the whole batch of larger ones.
  const granted = Math.min(LIMITS.windowBatch, LIMITS.streamFrames >>> 1);
  accepted[0]?.consumed(granted - 1);
  assert.deepEqual(said, []);
  accepted[0]?.consumed(1);
  assert.deepEqual(said, [{ command: COMMAND.window, stream: 1, payload: encodeWindow(granted) }]);
  for (let frame = 0; frame < LIMITS.streamFrames - 7 + granted; frame++) hub.receiveData(data(1));
  assert.deepEqual(end.ends, []);
  hub.receiveData(data(1));
  assert.equal(end.ends.length, 1);
});

test("windows open the sender again, and one out of range ends the stream", () => {
  const { hub, said } = hubAlone();
  const end = handlers();
  const stream = hub.open(SERVICE.incoming, Buffer.alloc(0), end);
  for (let frame = 0; frame < LIMITS.streamFrames; frame++) {
    stream.send(Buffer.of(1));
    if (frame > 0) hub.take();
  }
  assert.deepEqual([stream.sendWindow, hub.waiting], [0, 1]);
  const id = said[0]?.stream as number;
  assert.equal(id, 0x8001);
  hub.receiveControl({ command: COMMAND.window, stream: id, payload: encodeWindow(3) });
  hub.receiveControl({ command: COMMAND.window, stream: id, payload: encodeWindow(3) });
  assert.deepEqual([end.windows, stream.sendWindow], [1, 6]);
  hub.receiveControl({ command: COMMAND.window, stream: id, payload: encodeWindow(0xffff) });
  assert.equal(end.ends.length, 1);
  assert.equal(hub.waiting, 0, "what was queued is dropped with the stream");
});

/** Would catch: a sender whose memory is what a stranger grants it. */
test("whatever is granted, a stream queues no more than its bound, and goes on when half of that has left", () => {
  const { hub, said } = hubAlone();
  const end = handlers();
  const stream = hub.open(SERVICE.incoming, Buffer.alloc(0), end);
  const id = said[0]?.stream as number;
  const granted = LIMITS.streamFramesMost - LIMITS.streamFrames;
  hub.receiveControl({ command: COMMAND.window, stream: id, payload: encodeWindow(granted) });
  let sent = 0;
  for (; stream.sendWindow > 0; sent++) stream.send(Buffer.of(1));
  assert.deepEqual([sent, hub.waiting], [LIMITS.streamQueueFrames, LIMITS.streamQueueFrames]);
  while (hub.waiting * 2 > LIMITS.streamQueueFrames) {
    assert.equal(end.windows, 0);
    hub.take();
  }
  assert.equal(end.windows, 1);
  assert.equal(stream.sendWindow, LIMITS.streamFramesMost - sent);
});

test("what was queued leaves in turns of the streams, and a stream that was broken off loses its own", () => {
  const { hub, said } = hubAlone();
  const streams = [1, 2, 3].map(() => hub.open(SERVICE.incoming, Buffer.alloc(0), handlers()));
  for (const [index, stream] of streams.entries()) {
    for (let count = 0; count < 3; count++) stream.send(Buffer.of(index * 10 + count));
  }
  const taken = [hub.take(), hub.take(), hub.take(), hub.take()].map((frame) => frame[1]);
  assert.deepEqual(taken, [0, 10, 20, 1]);
  hub.receiveControl({ command: COMMAND.end, stream: said[1]?.stream as number, payload: encodeEnd(1, 0) });
  const rest = [];
  while (hub.waiting > 0) rest.push(hub.take()[1]);
  assert.deepEqual(rest, [21, 2, 22]);
});

test("the end waits for what it counts, and the stream sends no more meanwhile", () => {
  const end = handlers();
  const { hub, accepted } = hubAlone(() => end);
  hub.receiveControl(begin(1));
  hub.receiveControl({ command: COMMAND.end, stream: 1, payload: encodeEnd(0, 2) });
  assert.deepEqual([end.ends, accepted[0]?.sendWindow], [[], 0]);
  hub.receiveControl({ command: COMMAND.window, stream: 1, payload: encodeWindow(5) });
  assert.deepEqual([accepted[0]?.sendWindow, end.windows], [0, 0]);
  hub.receiveData(data(1));
  hub.receiveData(data(1));
  hub.receiveData(data(1));
  assert.deepEqual([end.got, end.ends], [2, [undefined]]);
});

test("ids of the wrong side, ids in use, second acceptances and unknown commands break the circuit", () => {
  const { hub, said } = hubAlone(handlers);
  hub.receiveControl(begin(1));
  violates(() => hub.receiveControl(begin(1)));
  violates(() => hub.receiveControl(begin(0x8001)));
  violates(() => hub.receiveControl({ command: COMMAND.begun, stream: 1, payload: Buffer.alloc(0) }));
  violates(() => hub.receiveControl({ command: COMMAND.begun, stream: 7, payload: Buffer.of(1) }));
  violates(() => hub.receiveControl({ command: COMMAND.extended, stream: 0, payload: Buffer.alloc(0) }));
  violates(() => hub.receiveControl({ command: COMMAND.window, stream: 1, payload: encodeWindow(0) }));
  violates(() => hub.receiveData(data(1, "")));
  violates(() => hub.receiveData(data(0)));
  assert.equal(said.length, 1);
});

test("streams are bounded: those that exist, and those that wait for an answer", () => {
  const { hub, said } = hubAlone(handlers);
  for (let id = 1; id <= LIMITS.streamsPerCircuit + 1; id++) hub.receiveControl(begin(id));
  assert.equal(hub.streamCount, LIMITS.streamsPerCircuit);
  assert.deepEqual(said.at(-1)?.payload, encodeEnd(1, 0));

  const opener = hubAlone().hub;
  const open = (): CircuitStream => opener.open(SERVICE.incoming, Buffer.alloc(0), handlers());
  for (let count = 0; count < LIMITS.streamsUnanswered; count++) open();
  assert.throws(open, (error) => isBackroomError(error, "E_REFUSED"));
  opener.receiveControl({ command: COMMAND.begun, stream: 0x8001, payload: Buffer.alloc(0) });
  opener.receiveControl({ command: COMMAND.end, stream: 0x8002, payload: encodeEnd(1, 0) });
  open();
  open();
  assert.throws(open, (error) => isBackroomError(error, "E_REFUSED"));
});

test("any mixture of sends on many streams, both ways, arrives complete and in order", async () => {
  const action = fc.tuple(fc.nat(3), fc.boolean(), fc.integer({ min: 1, max: STREAM_PAYLOAD_BYTES }));
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 120 }), fc.nat(20), async (actions, delayMs) => {
      const world = createCircuitWorld({ relayCount: 3, ratchetFrames: 11 });
      const far: CircuitStream[] = [];
      const got: Record<string, number[]> = {};
      const want: Record<string, number[]> = {};
      const recording = (name: string, stream: () => CircuitStream | undefined): StreamHandlers => ({
        onData: (payload) => {
          (got[name] ??= []).push(payload.length);
          stream()?.consumed(1);
        },
        onWindow() {},
        onEnd() {},
      });
      const services = world.relays[2]?.services ?? {};
      services[SERVICE.connect] = (stream, args) => {
        far[args[0] as number] = stream;
        return recording(`far ${args[0]}`, () => stream);
      };
      const circuit = await world.build(0, 1, 2);
      const near: CircuitStream[] = [];
      for (let index = 0; index < 4; index++) {
        near.push(
          circuit.openStream(
            SERVICE.connect,
            Buffer.of(index),
            recording(`near ${index}`, () => near[index]),
          ),
        );
      }
      await settle();
      world.network.delayMs = delayMs;
      for (const [index, forward, length] of actions) {
        const stream = (forward ? near : far)[index] as CircuitStream;
        (want[`${forward ? "far" : "near"} ${index}`] ??= []).push(length);
        stream.send(Buffer.alloc(length));
      }
      for (let step = 0; step < 40; step++) {
        world.clock.advance(Math.max(1, delayMs));
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(got, want);
    }),
    { numRuns: 20 },
  );
});
