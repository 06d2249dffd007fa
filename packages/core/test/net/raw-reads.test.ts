import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { DATA_FRAME_BYTES, FRAME, FrameReader, makeFrame } from "../../src/net/frame.ts";
import { RawReads } from "../../src/net/raw-reads.ts";

const RECORD = 16_384;

/** As much of a socket as reading needs, with the inside that Node's have or without one. */
class FakeSocket extends EventEmitter {
  destroyed = false;
  flowing = false;
  ends = 0;
  readonly _handle:
    | {
        onread: (bytes?: ArrayBuffer) => unknown;
        useUserBuffer(memory: Buffer): void;
        memory?: Buffer;
        bytesRead: number;
        reading: boolean;
        readStart(): void;
        readStop(): void;
      }
    | undefined;

  constructor(known: boolean) {
    super();
    if (!known) return;
    this._handle = {
      reading: true,
      bytesRead: 0,
      useUserBuffer(memory) {
        this.memory = memory;
      },
      onread: (bytes) => void (bytes === undefined ? this.ends++ : this.emit("data", Buffer.from(bytes))),
      readStart() {
        this.reading = true;
      },
      readStop() {
        this.reading = false;
      },
    };
  }

  pause(): void {
    this.flowing = false;
  }

  resume(): void {
    this.flowing = true;
  }

  arrive(byte: number): void {
    this.arriveBytes(Buffer.alloc(RECORD, byte));
  }

  /** As Node does: into the memory that was named last, as far as it goes, for as long as there is something. */
  arriveBytes(bytes: Buffer): void {
    const handle = this._handle;
    if (handle === undefined) return void this.emit("data", bytes);
    for (let at = 0; at < bytes.length;) {
      const memory = handle.memory as Buffer;
      assert.ok(memory.length > 0, "a connection that may put nothing anywhere would try for ever");
      const count = bytes.copy(memory, 0, at);
      handle.bytesRead += count;
      at += count;
      handle.memory = handle.onread() as Buffer;
    }
  }
}

/** Notes the first byte of all that comes. */
function sinkOf(got: (number | undefined)[], onGot = (): void => {}) {
  const room = Buffer.alloc(RECORD);
  return {
    onBytes(chunk: Buffer): void {
      got.push(chunk[0]);
      onGot();
    },
    room: () => room,
    onFilled(count: number): void {
      assert.equal(count, RECORD);
      this.onBytes(room);
    },
  };
}

function reading(known: boolean) {
  const socket = new FakeSocket(known);
  const got: (number | undefined)[] = [];
  const reads = new RawReads(socket as unknown as TLSSocket, sinkOf(got));
  return { socket, got, reads };
}

for (const known of [true, false]) {
  const how = known ? "by the shortcut" : "by events, where Node has another inside";

  test(`bytes arrive in order and only while reading is not paused: ${how}`, () => {
    const { socket, got, reads } = reading(known);
    socket.arrive(1);
    assert.deepEqual(got, []);
    reads.resume();
    socket.arrive(2);
    assert.deepEqual(got, [1, 2]);
    reads.pause();
    socket.arrive(3);
    assert.deepEqual(got, [1, 2]);
    reads.resume();
    assert.deepEqual(got, [1, 2, 3]);
    reads.discard();
    socket.arrive(4);
    assert.deepEqual(got, [1, 2, 3]);
  });
}

/** Would catch: a paused channel that reads without end, or one that no longer notices that the other side went. */
test("while paused a connection is read a little further, and its end is noticed", () => {
  const { socket, reads } = reading(true);
  for (let record = 1; record <= 3; record++) socket.arrive(record);
  assert.equal(socket._handle?.reading, true);
  socket.arrive(4);
  assert.equal(socket._handle?.reading, false);
  reads.resume();
  assert.equal(socket._handle?.reading, true);
  socket._handle?.onread();
  assert.equal(socket.ends, 1);
});

test("whoever pauses while what was held is handed on gets nothing more until it resumes", () => {
  const socket = new FakeSocket(true);
  const got: (number | undefined)[] = [];
  const sink = sinkOf(got, () => reads.pause());
  const reads: RawReads = new RawReads(socket as unknown as TLSSocket, sink);
  socket.arrive(1);
  socket.arrive(2);
  reads.resume();
  assert.deepEqual(got, [1]);
  reads.resume();
  assert.deepEqual(got, [1, 2]);
});

/** Would catch: a connection that goes on writing to memory that somebody else has by then. */
test("memory that is handed on is not written to any more, whatever who gets it does", () => {
  const socket = new FakeSocket(true);
  const frames: Buffer[] = [];
  const reader = new FrameReader((frame) => {
    frames.push(frame);
    if (frames.length === 3) throw new Error("a bug");
  });
  const raised: unknown[] = [];
  process.once("uncaughtException", (error) => raised.push(error));
  const reads = new RawReads(socket as unknown as TLSSocket, {
    onBytes: (chunk) => reader.push(chunk),
    room: () => reader.room(),
    onFilled: (count) => reader.filled(count),
  });
  const lent = (): ArrayBufferLike | undefined => socket._handle?.memory?.buffer;
  const arriveFrame = (): void => {
    const frame = makeFrame(FRAME.data, 7);
    for (let at = 0; at < frame.length; at += RECORD) socket.arriveBytes(frame.subarray(at, at + RECORD));
    for (const one of frames) assert.notEqual(one.buffer, lent());
  };
  reads.resume();
  for (let count = 0; count < 2; count++) arriveFrame();
  // A part of the next one is there, the rest comes while nobody takes it, and is handed on from outside.
  socket.arriveBytes(makeFrame(FRAME.data, 7).subarray(0, RECORD));
  reads.pause();
  for (let part = 1; part < DATA_FRAME_BYTES / RECORD; part++) socket.arriveBytes(Buffer.alloc(RECORD));
  assert.throws(() => reads.resume(), /a bug/);
  for (const one of frames) assert.notEqual(one.buffer, lent());
  arriveFrame();
  assert.deepEqual(
    frames.map((frame) => frame.length),
    [DATA_FRAME_BYTES, DATA_FRAME_BYTES, DATA_FRAME_BYTES, DATA_FRAME_BYTES],
  );
  assert.deepEqual(raised, []);
});

/** Would catch: a stranger whose records hold one byte each, and who has this computer keep memory for a whole one of each while it waits. */
test("what is held takes no more memory than was sent, however small the records are", () => {
  const socket = new FakeSocket(true);
  const memories = new Set<ArrayBufferLike>();
  const reads = new RawReads(socket as unknown as TLSSocket, {
    onBytes: (chunk) => void memories.add(chunk.buffer),
    room: () => Buffer.alloc(RECORD),
    onFilled() {},
  });
  for (let record = 0; record < 1000; record++) socket.arriveBytes(Buffer.from([record]));
  reads.resume();
  const bytes = [...memories].reduce((sum, memory) => sum + memory.byteLength, 0);
  assert.ok(bytes < 16 * RECORD, `${bytes} bytes are kept for 1000`);
});
