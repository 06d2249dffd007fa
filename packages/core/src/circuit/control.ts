import { ByteReader } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { CLIENT_MESSAGE_BYTES } from "./handshake.ts";
import { FRAME, frameBytes, OTHER_FRAME_BYTES, type FrameType } from "../net/frame.ts";
import { SHORT_PAYLOAD_BYTES, STREAM_PAYLOAD_BYTES } from "./stream.ts";

/**
 * What the ends of a circuit say to each other inside the innermost layer (PROTOCOL 6.2), each behind the `what` byte:
 *
 *     CONTROL   0         1        3        5
 *               | command | stream | length | payload | zeros …
 *     DATA      0        2        4
 *               | stream | length | payload | zeros …
 *
 * The zeros are the other end's own words, authenticated and never passed on, so they are not looked at.
 */
export const COMMAND = {
  extend: 1,
  extended: 2,
  extendFailed: 3,
  begin: 4,
  begun: 5,
  end: 6,
  window: 7,
} as const;
export type Command = (typeof COMMAND)[keyof typeof COMMAND];

export const END_REASON = { done: 0, refused: 1, broken: 2 } as const;
export type EndReason = (typeof END_REASON)[keyof typeof END_REASON];

/** Of DESTROY frames. What a hop passes on always says `gone`, so that a reason is no way to pass a mark. */
export const DESTROY_REASON = { done: 1, gone: 2, refused: 3, broken: 4 } as const;
export type DestroyReason = (typeof DESTROY_REASON)[keyof typeof DESTROY_REASON];

export const EXTEND_FAILED_REASON = { info: 1, unreachable: 2, refused: 3, busy: 4 } as const;
export type ExtendFailedReason = (typeof EXTEND_FAILED_REASON)[keyof typeof EXTEND_FAILED_REASON];

export interface ControlMessage {
  readonly command: Command;
  /** 0 for EXTEND and its answers, which are about the circuit. */
  readonly stream: number;
  /** A slice of what was decoded. */
  readonly payload: Buffer;
}

const WHAT_BYTES = 1;
/** `u16 stream ‖ u24 length` in front of a payload. */
const DATA_HEAD_BYTES = 5;

/** Writes a message behind the `what` byte of `range`, zeros to its end. */
export function writeControl(frame: Buffer, range: Range, message: ControlMessage): void {
  const { command, stream, payload } = message;
  const start = range.start + WHAT_BYTES;
  if (WHAT_BYTES + 5 + payload.length > range.length) {
    throw new BackroomError("E_INTERNAL", "a control message does not fit its frame");
  }
  frame[start] = command;
  frame.writeUInt16BE(stream, start + 1);
  frame.writeUInt16BE(payload.length, start + 3);
  frame.set(payload, start + 5);
  frame.fill(0, start + 5 + payload.length, range.start + range.length);
}

export interface Range {
  readonly start: number;
  readonly length: number;
}

/** Decodes what `writeControl` wrote, without the `what` byte. Raises E_FRAME. */
export function decodeControl(bytes: Buffer): ControlMessage {
  const reader = new ByteReader(bytes, "E_FRAME");
  const command = reader.u8();
  const stream = reader.u16();
  const payload = reader.take(reader.u16());
  if (command < COMMAND.extend || command > COMMAND.window) throw broken("a control command is unknown");
  if (command >= COMMAND.begin !== stream > 0) throw broken("a control message has the wrong stream");
  return { command: command as Command, stream, payload };
}

/** The length of the frame that a payload of that length goes in. */
export function dataFrameBytes(payloadBytes: number): number {
  return frameBytes(dataType(payloadBytes));
}

/** A new frame for a payload of that length; its header says no more than its type. */
export function makeDataFrame(payloadBytes: number): Buffer {
  const frame = Buffer.allocUnsafeSlow(dataFrameBytes(payloadBytes));
  frame[4] = dataType(payloadBytes);
  return frame;
}

function dataType(payloadBytes: number): FrameType {
  return payloadBytes <= SHORT_PAYLOAD_BYTES ? FRAME.shortData : FRAME.data;
}

/** Writes a stream's payload behind the `what` byte of `range`, zeros to its end. */
export function writeData(frame: Buffer, range: Range, stream: number, payload: Buffer): void {
  const start = range.start + WHAT_BYTES;
  frame.writeUInt16BE(stream, start);
  frame.writeUIntBE(payload.length, start + 2, 3);
  frame.set(payload, start + DATA_HEAD_BYTES);
  frame.fill(0, start + DATA_HEAD_BYTES + payload.length, range.start + range.length);
}

/** Decodes what `writeData` wrote, `what` byte included: the hot path takes no slice that it does not need. Raises E_FRAME. */
export function decodeData(opened: Buffer): { stream: number; payload: Buffer } {
  const start = WHAT_BYTES + DATA_HEAD_BYTES;
  if (opened.length < start) throw broken("the data ends too early");
  const stream = opened.readUInt16BE(WHAT_BYTES);
  const length = opened.readUIntBE(WHAT_BYTES + 2, 3);
  if (stream === 0 || length === 0 || length > STREAM_PAYLOAD_BYTES || length > opened.length - start) {
    throw broken("a data message has no stream or the wrong length");
  }
  // It would hold the memory of a DATA frame wherever it waits, and count as a short one.
  if (length <= SHORT_PAYLOAD_BYTES && opened.length > OTHER_FRAME_BYTES) {
    throw broken("a short payload came in a long frame");
  }
  return { stream, payload: opened.subarray(start, start + length) };
}

/** EXTEND: `u16 n ‖ n relay info ‖ client message`. */
export function encodeExtend(info: Uint8Array, hello: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(info.length);
  return Buffer.concat([length, info, hello]);
}

export function decodeExtend(payload: Buffer): { info: Buffer; hello: Buffer } {
  const reader = new ByteReader(payload, "E_FRAME");
  const length = reader.u16();
  if (length > LIMITS.relayInfoBytes) throw broken("a relay info is too long");
  const info = reader.take(length);
  const hello = reader.take(CLIENT_MESSAGE_BYTES);
  reader.end();
  return { info, hello };
}

/** BEGIN: `u8 service ‖ arguments`. */
export function encodeBegin(service: number, args: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(service), args]);
}

export function decodeBegin(payload: Buffer): { service: number; args: Buffer } {
  const reader = new ByteReader(payload, "E_FRAME");
  return { service: reader.u8(), args: reader.take(reader.remaining) };
}

/** END: `u8 reason ‖ u32 DATA frames sent`: CONTROL overtakes DATA, so the receiver must know what is still under way. */
export function encodeEnd(reason: EndReason, sentFrames: number): Buffer {
  const payload = Buffer.alloc(5);
  payload[0] = reason;
  payload.writeUInt32BE(sentFrames, 1);
  return payload;
}

/** An unknown reason reads as `broken`. */
export function decodeEnd(payload: Buffer): { reason: EndReason; sentFrames: number } {
  const reader = new ByteReader(payload, "E_FRAME");
  const reason = reader.u8();
  const sentFrames = reader.u32();
  reader.end();
  const known = reason === END_REASON.done || reason === END_REASON.refused;
  return { reason: known ? reason : END_REASON.broken, sentFrames };
}

/** WINDOW: `u16 frames`. */
export function encodeWindow(frames: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(frames);
  return payload;
}

export function decodeWindow(payload: Buffer): number {
  const reader = new ByteReader(payload, "E_FRAME");
  const frames = reader.u16();
  reader.end();
  if (frames === 0) throw broken("a window grants nothing");
  return frames;
}

function broken(what: string): BackroomError {
  return new BackroomError("E_FRAME", what);
}
