import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { RawReads } from "../../src/net/raw-reads.ts";

const RECORD = 16_384;

/** As much of a socket as reading needs, with the inside that Node's have or without one. */
class FakeSocket extends EventEmitter {
  destroyed = false;
  flowing = false;
  ends = 0;
  readonly _handle:
    | { onread: (bytes?: ArrayBuffer) => void; reading: boolean; readStart(): void; readStop(): void }
    | undefined;

  constructor(known: boolean) {
    super();
    if (!known) return;
    this._handle = {
      reading: true,
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
    if (this._handle === undefined) this.emit("data", Buffer.alloc(RECORD, byte));
    else this._handle.onread(Buffer.alloc(RECORD, byte).buffer);
  }
}

function reading(known: boolean) {
  const socket = new FakeSocket(known);
  const got: (number | undefined)[] = [];
  const reads = new RawReads(socket as unknown as TLSSocket, (chunk) => got.push(chunk[0]));
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
  const reads: RawReads = new RawReads(socket as unknown as TLSSocket, (chunk) => {
    got.push(chunk[0]);
    reads.pause();
  });
  socket.arrive(1);
  socket.arrive(2);
  reads.resume();
  assert.deepEqual(got, [1]);
  reads.resume();
  assert.deepEqual(got, [1, 2]);
});
