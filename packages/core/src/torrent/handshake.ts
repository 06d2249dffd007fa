import { asBuffer } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";

/**
 * The first 68 bytes each way (BEP 3, 52):
 *
 * ```
 * u8 19 ‖ "BitTorrent protocol" ‖ 8 reserved ‖ 20 infohash ‖ 20 peer id
 * reserved: byte 5 & 0x10 = extension protocol (BEP 10), byte 7 & 0x04 = fast extension (BEP 6), byte 7 & 0x10 = v2 (BEP 52)
 * ```
 */
export const HANDSHAKE_BYTES = 68;

export interface Handshake {
  readonly type: "handshake";
  /** 20 bytes: the v2 infohash, truncated. */
  readonly infohash: Buffer;
  /** 20 bytes. Ours are random for every tunnel. */
  readonly peerId: Buffer;
  readonly extensions: boolean;
  readonly fast: boolean;
}

const PREFIX = Buffer.from("\x13BitTorrent protocol", "latin1");
const EXTENSIONS = 0x10;
const FAST = 0x04;
const V2 = 0x10;

/** `infohash` may be the whole v2 infohash; its first 20 bytes are used. We always speak all three extensions. */
export function encodeHandshake(infohash: Uint8Array, peerId: Uint8Array): Buffer {
  const reserved = Buffer.from([0, 0, 0, 0, 0, EXTENSIONS, 0, FAST | V2]);
  return Buffer.concat([PREFIX, reserved, infohash.subarray(0, 20), peerId.subarray(0, 20)]);
}

/** Decodes exactly HANDSHAKE_BYTES. Reserved bits that nobody here knows are ignored, as BEP 3 has it. Raises E_WIRE. */
export function decodeHandshake(input: Uint8Array): Handshake {
  const bytes = asBuffer(input);
  if (bytes.length !== HANDSHAKE_BYTES || !bytes.subarray(0, 20).equals(PREFIX)) {
    throw new BackroomError("E_WIRE", "the peer does not open with a BitTorrent handshake");
  }
  return {
    type: "handshake",
    infohash: bytes.subarray(28, 48),
    peerId: bytes.subarray(48, 68),
    extensions: (bytes.readUInt8(25) & EXTENSIONS) !== 0,
    fast: (bytes.readUInt8(27) & FAST) !== 0,
  };
}
