import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import {
  DATA_FRAME_BYTES,
  FRAME,
  FrameReader,
  OTHER_FRAME_BYTES,
  frameBody,
  frameCircuit,
  frameCredit,
  frameType,
  makeFrame,
  setFrameCircuit,
  setFrameCredit,
  type FrameType,
} from "../../src/net/frame.ts";
import { decoderSuite } from "../support/decoder-suite.ts";

function readAll(chunks: Buffer[]): Buffer[] {
  const frames: Buffer[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return frames;
}

function sampleFrame(type: FrameType, circuit: number, fill: number): Buffer {
  const frame = makeFrame(type, circuit, type === FRAME.credit ? 9 : 0);
  frameBody(frame).fill(fill);
  return frame;
}

const SAMPLES = [
  sampleFrame(FRAME.hello, 0, 1),
  sampleFrame(FRAME.create, 0x8000_0001, 2),
  sampleFrame(FRAME.data, 0xffff_ffff, 3),
  sampleFrame(FRAME.shortData, 1, 4),
  sampleFrame(FRAME.credit, 7, 0),
  sampleFrame(FRAME.pong, 0, 5),
];

test("the header sits where PROTOCOL 5 draws it", () => {
  const frame = makeFrame(FRAME.control, 0x8000_0002, 0x0304);
  assert.equal(frame.subarray(0, 8).toString("hex"), "8000000206000304");
  assert.equal(frame.length, OTHER_FRAME_BYTES);
  setFrameCircuit(frame, 0xdeadbeef);
  setFrameCredit(frame, 65_535);
  assert.deepEqual(
    [frameCircuit(frame), frameType(frame), frameCredit(frame)],
    [0xdeadbeef, FRAME.control, 65_535],
  );
});

test("any cutting of the stream gives the same frames", () => {
  const whole = Buffer.concat(SAMPLES);
  const cutsOf = fc.array(fc.nat(whole.length), { maxLength: 30 });
  fc.assert(
    fc.property(cutsOf, fc.boolean(), (cuts, pooled) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
      const chunks = edges.slice(1).map((end, index) => {
        const slice = whole.subarray(edges[index], end);
        return pooled ? slice : Buffer.from(new Uint8Array(slice).buffer);
      });
      assert.deepEqual(readAll(chunks), SAMPLES);
    }),
    { numRuns: 150 },
  );
  const single = Buffer.concat([SAMPLES[0] as Buffer, SAMPLES[2] as Buffer]);
  assert.equal(readAll([...single].map((byte) => Buffer.from([byte]))).length, 2);
});

/** Would catch: a relay whose memory waits for the garbage collector, 16 KiB a record. */
test("a chunk's memory is given back once it is read", () => {
  const chunk = makeFrame(FRAME.data, 5);
  const frames: Buffer[] = [];
  new FrameReader((frame) => frames.push(frame)).push(chunk);
  assert.deepEqual([chunk.length, frames[0]?.length], [0, DATA_FRAME_BYTES]);
});

/** Would catch: a copy of every frame, and frames that come apart where small ones stand between, or where whoever fills stops in the middle. */
test("what is put right into a reader's room gives the same frames, and those that carry data are not copied", () => {
  const frames: Buffer[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  const order = [
    SAMPLES[2],
    SAMPLES[2],
    SAMPLES[1],
    SAMPLES[2],
    SAMPLES[3],
    SAMPLES[4],
    SAMPLES[2],
  ] as Buffer[];
  const whole = Buffer.concat(order);
  const filled = new Set<ArrayBufferLike>();
  for (let at = 0; at < whole.length;) {
    const room = reader.room();
    filled.add(room.buffer);
    const count = whole.copy(room, 0, at, Math.min(whole.length, at + 16_384));
    at += count;
    reader.filled(count);
  }
  assert.deepEqual(frames, order);
  assert.ok(
    frames.filter((frame) => frame.length === DATA_FRAME_BYTES).every(({ buffer }) => filled.has(buffer)),
  );
  const atEdge = reader.room();
  reader.push(Buffer.from(SAMPLES[2] as Buffer));
  assert.notEqual(frames.at(-1)?.buffer, atEdge.buffer, "memory that somebody may still fill was handed out");
  assert.throws(
    () => reader.filled(1),
    (error) => isBackroomError(error, "E_INTERNAL"),
  );
});

test("a frame out of shared memory is the receiver's alone: changing it changes nothing else", () => {
  const pool = Buffer.concat([Buffer.from("before"), makeFrame(FRAME.data, 5), Buffer.from("behind")]);
  const [frame] = readAll([pool.subarray(6, 6 + DATA_FRAME_BYTES)]);
  assert.ok(frame !== undefined);
  setFrameCircuit(frame, 77);
  assert.equal(pool.readUInt32BE(6), 5);
});

test("frames behind a stop are not handed out, although they came in the same chunk", () => {
  let count = 0;
  const reader = new FrameReader(() => {
    count++;
    reader.stop();
  });
  reader.push(Buffer.concat(SAMPLES));
  assert.equal(count, 1);
});

test("what PROTOCOL 5 does not allow in a header raises E_FRAME, whole or in pieces", () => {
  const damaged: [string, (frame: Buffer) => void][] = [
    ["type 0", (frame) => (frame[4] = 0)],
    ["type 11", (frame) => (frame[4] = 11)],
    ["flags", (frame) => (frame[5] = 1)],
    ["a circuit's frame without circuit", (frame) => setFrameCircuit(frame, 0)],
    ["a PING on a circuit", (frame) => (frame[4] = FRAME.ping)],
    ["a HELLO with credit", (frame) => makeFrame(FRAME.hello, 0, 1).copy(frame)],
  ];
  for (const [name, damage] of damaged) {
    const frame = makeFrame(FRAME.control, 3);
    damage(frame);
    const isFrameError = (error: unknown): boolean => isBackroomError(error, "E_FRAME");
    assert.throws(() => readAll([Buffer.from(frame)]), isFrameError, name);
    assert.throws(
      () => readAll([frame.subarray(0, 3), frame.subarray(3, 9), frame.subarray(9)]),
      isFrameError,
      name,
    );
  }
});

decoderSuite({
  name: "frames",
  decode: (bytes) => readAll([bytes]),
  encode: (frames) => Buffer.concat(frames),
  samples: [Buffer.concat(SAMPLES.slice(0, 2)), makeFrame(FRAME.ping, 0)],
  validPrefix: () => true,
});
