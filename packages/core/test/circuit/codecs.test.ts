import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import {
  COMMAND,
  decodeBegin,
  decodeControl,
  decodeData,
  decodeEnd,
  decodeExtend,
  decodeWindow,
  encodeBegin,
  encodeEnd,
  encodeExtend,
  encodeWindow,
  writeControl,
  writeData,
  type ControlMessage,
} from "../../src/circuit/control.ts";
import { encodeMessage, MessageReader } from "../../src/circuit/messages.ts";
import { decoderSuite } from "../support/decoder-suite.ts";

/** `what ‖ u16 stream ‖ u24 length` in front of a payload. */
const HEAD_BYTES = 6;
const OPENED_BYTES = 114_613;

function control(message: ControlMessage): Buffer {
  const frame = Buffer.alloc(2040, 0xff);
  writeControl(frame, { start: 0, length: 2040 }, message);
  return frame.subarray(1);
}

const samples = [
  control({
    command: COMMAND.extend,
    stream: 0,
    payload: encodeExtend(Buffer.alloc(400, 1), Buffer.alloc(1344, 2)),
  }),
  control({ command: COMMAND.begun, stream: 1, payload: Buffer.alloc(0) }),
  control({ command: COMMAND.end, stream: 0xffff, payload: encodeEnd(0, 3) }),
];

decoderSuite({
  name: "control message",
  samples,
  decode: decodeControl,
  encode: control,
  // The zeros behind the payload are not looked at.
  validPrefix: (length, sample) => length >= 5 + sample.readUInt16BE(3),
});

decoderSuite({
  name: "data message",
  samples: [1, 114_607].map((length) => {
    const frame = Buffer.alloc(OPENED_BYTES);
    writeData(frame, { start: 0, length: frame.length }, 9, Buffer.alloc(length, 7));
    return frame.subarray(0, HEAD_BYTES + length);
  }),
  decode: decodeData,
});

/** Would catch: a gate that holds 112 KiB for a byte that it counts as 2 KiB. */
test("a payload that fits SHORT DATA is refused in DATA, and one byte more is not", () => {
  const opened = (length: number): Buffer => {
    const frame = Buffer.alloc(OPENED_BYTES);
    writeData(frame, { start: 0, length: frame.length }, 9, Buffer.alloc(length, 7));
    return frame;
  };
  assert.throws(
    () => decodeData(opened(1_967)),
    (error) => isBackroomError(error, "E_FRAME"),
  );
  assert.equal(decodeData(opened(1_968)).payload.length, 1_968);
});

decoderSuite({
  name: "EXTEND",
  samples: [
    encodeExtend(Buffer.alloc(0), Buffer.alloc(1344)),
    encodeExtend(Buffer.alloc(40, 1), Buffer.alloc(1344, 2)),
  ],
  decode: decodeExtend,
  encode: ({ info, hello }) => encodeExtend(info, hello),
});
decoderSuite({
  name: "BEGIN",
  samples: [encodeBegin(5, Buffer.alloc(0)), encodeBegin(5, Buffer.alloc(16))],
  decode: decodeBegin,
  encode: ({ service, args }) => encodeBegin(service, args),
  validPrefix: (length) => length > 0,
});
decoderSuite({
  name: "END",
  samples: [encodeEnd(0, 0), encodeEnd(1, 70_000), encodeEnd(2, 1)],
  decode: decodeEnd,
  encode: ({ reason, sentFrames }) => encodeEnd(reason, sentFrames),
});
decoderSuite({ name: "WINDOW", samples: [encodeWindow(32)], decode: decodeWindow, encode: encodeWindow });

decoderSuite({
  name: "service message",
  samples: [encodeMessage({ q: Buffer.from("sample"), n: 3 }), encodeMessage({})],
  decode: (bytes) => {
    const [message] = new MessageReader().push(bytes);
    // Part of a message is no error yet, only no message.
    assert.ok(message !== undefined || bytes.length < 4 + 65_536);
    return message;
  },
  encode: (message) => encodeMessage(message ?? new Map()),
  validPrefix: () => true,
});

test("control messages about the circuit have no stream, and all others have one", () => {
  for (const command of Object.values(COMMAND)) {
    const isOfStream = command >= COMMAND.begin;
    const wrong = control({ command, stream: isOfStream ? 0 : 1, payload: Buffer.alloc(0) });
    assert.throws(
      () => decodeControl(wrong),
      (error) => isBackroomError(error, "E_FRAME"),
    );
  }
});

test("what a message leaves free of its frame is zeros, not what the memory held before", () => {
  const frame = Buffer.alloc(2040, 0xff);
  writeControl(
    frame,
    { start: 8, length: 2000 },
    { command: COMMAND.window, stream: 1, payload: encodeWindow(1) },
  );
  assert.ok(frame.subarray(8 + 6 + 2, 2008).every((byte) => byte === 0));
  assert.ok(frame.subarray(2008).every((byte) => byte === 0xff));
  const data = Buffer.alloc(100, 0xff);
  writeData(data, { start: 8, length: 80 }, 1, Buffer.from("abc"));
  assert.ok(data.subarray(8 + HEAD_BYTES + 3, 88).every((byte) => byte === 0));
});

test("messages come out whole however they are cut, and a length beyond the bound is refused unread", () => {
  const bytes = Buffer.concat([encodeMessage({ a: 1 }), encodeMessage({ b: Buffer.alloc(5000, 1) })]);
  for (const size of [1, 3, 4, 999]) {
    const reader = new MessageReader();
    const got = [];
    for (let at = 0; at < bytes.length; at += size) got.push(...reader.push(bytes.subarray(at, at + size)));
    assert.deepEqual(
      got.map((message) => [...message.keys()]),
      [["a"], ["b"]],
    );
  }
  const tooLong = Buffer.from("00010001", "hex");
  assert.throws(
    () => new MessageReader().push(tooLong),
    (error) => isBackroomError(error, "E_FRAME"),
  );
});
