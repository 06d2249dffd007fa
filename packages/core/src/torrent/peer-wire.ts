import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { asBuffer, u32be } from "../base/bytes.ts";

/**
 * Messages of the peer wire (PROTOCOL 10; BEP 3, 6, 10, 52): each is `u32 length ‖ u8 id ‖ body`, a keepalive is length 0.
 *
 * ```
 *  0 choke   1 unchoke   2 interested   3 notInterested   14 haveAll   15 haveNone        no body
 *  4 have   13 suggest   17 allowedFast                u32 piece
 *  5 bitfield                                          one bit a piece, first piece highest, spare bits zero
 *  6 request   8 cancel   16 reject                    u32 piece ‖ u32 begin ‖ u32 length
 *  7 piece                                             u32 piece ‖ u32 begin ‖ bytes
 *  9 port                                              u16 (decoded so that it can be refused)
 * 20 extended                                          u8 extended id (0 = handshake) ‖ payload
 * 21 hashRequest   23 hashReject                       32 root ‖ u32 base layer ‖ u32 index ‖ u32 length ‖ u32 proof layers
 * 22 hashes                                            the same ‖ 32-byte hashes
 * ```
 */
/** Message ids: BEP 3, 6, 10, 52. */
export const IDS = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
  hashRequest: 21,
  hashes: 22,
  hashReject: 23,
} as const;

type MessageName = keyof typeof IDS;
const NAMES: ReadonlyMap<number, MessageName> = new Map(
  Object.entries(IDS).map(([name, id]) => [id, name as MessageName]),
);

/** A block of a piece: `begin` and `length` in bytes. */
export interface BlockRange {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

/** What a hash request names (BEP 52): `length` hashes of `baseLayer` from `index` on, and uncles from `proofLayers` layers. */
export interface HashRange {
  readonly root: Buffer;
  readonly baseLayer: number;
  readonly index: number;
  readonly length: number;
  readonly proofLayers: number;
}

interface Plain {
  readonly type: "keepalive" | "choke" | "unchoke" | "interested" | "notInterested" | "haveAll" | "haveNone";
}
interface OnePiece {
  readonly type: "have" | "suggest" | "allowedFast";
  readonly piece: number;
}
interface OneBlock extends BlockRange {
  readonly type: "request" | "cancel" | "reject";
}
export interface HashRangeMessage extends HashRange {
  readonly type: "hashRequest" | "hashReject";
}
export interface HashesMessage extends HashRange {
  readonly type: "hashes";
  /** Whole 32-byte hashes, at least `length` of them: the base layer's, then the uncles from the lowest up. */
  readonly hashes: Buffer;
}
export type WireMessage =
  | Plain
  | OnePiece
  | OneBlock
  | HashRangeMessage
  | HashesMessage
  | { readonly type: "bitfield"; readonly bits: Buffer }
  | { readonly type: "piece"; readonly piece: number; readonly begin: number; readonly bytes: Buffer }
  | { readonly type: "port"; readonly port: number }
  | { readonly type: "extended"; readonly id: number; readonly payload: Buffer };

const HASH_RANGE_BYTES = 48;
/** A request's hashes and one uncle for every layer that the tallest tree (2^48 bytes in leaves of 2^14) has. */
const MOST_HASHES = LIMITS.hashesPerRequest + 34;

/** The lengths that a message's body may have, in bytes: exact for all but three of them. */
function bodyBounds(name: MessageName, pieceCount: number): readonly [least: number, most: number] {
  switch (name) {
    case "have":
    case "suggest":
    case "allowedFast":
      return [4, 4];
    case "bitfield":
      return [Math.ceil(pieceCount / 8), Math.ceil(pieceCount / 8)];
    case "request":
    case "cancel":
    case "reject":
      return [12, 12];
    case "piece":
      return [9, 8 + LIMITS.wireBlockBytes];
    case "port":
      return [2, 2];
    case "extended":
      return [1, 1 + LIMITS.wireExtendedBytes];
    case "hashRequest":
    case "hashReject":
      return [HASH_RANGE_BYTES, HASH_RANGE_BYTES];
    case "hashes":
      return [HASH_RANGE_BYTES + 32, HASH_RANGE_BYTES + 32 * MOST_HASHES];
    default:
      return [0, 0];
  }
}

/**
 * Checks the head of a message before its body is awaited, so that nobody makes us hold room for what is refused anyway.
 * `length` is the length field (id and body). Raises E_WIRE for unknown ids and impossible lengths.
 */
export function checkHead(id: number, length: number, pieceCount: number): void {
  const name = NAMES.get(id);
  if (name === undefined) throw new BackroomError("E_WIRE", "a message has an unknown id");
  const [least, most] = bodyBounds(name, pieceCount);
  if (length - 1 < least || length - 1 > most) {
    throw new BackroomError("E_WIRE", `a ${name} message has an impossible length`);
  }
}

/** Decodes the body of a message whose head `checkHead` has passed. Byte strings are slices of `body`. */
export function decodeBody(id: number, body: Buffer): WireMessage {
  const type = NAMES.get(id);
  switch (type) {
    case "have":
    case "suggest":
    case "allowedFast":
      return { type, piece: body.readUInt32BE(0) };
    case "bitfield":
      return { type, bits: body };
    case "request":
    case "cancel":
    case "reject":
      return { type, piece: body.readUInt32BE(0), begin: body.readUInt32BE(4), length: body.readUInt32BE(8) };
    case "piece":
      return { type, piece: body.readUInt32BE(0), begin: body.readUInt32BE(4), bytes: body.subarray(8) };
    case "port":
      return { type, port: body.readUInt16BE(0) };
    case "extended":
      return { type, id: body.readUInt8(0), payload: body.subarray(1) };
    case "hashRequest":
    case "hashReject":
      return { type, ...decodeHashRange(body) };
    case "hashes":
      return decodeHashes(body);
    case undefined:
      throw new BackroomError("E_WIRE", "a message has an unknown id");
    default:
      return { type };
  }
}

function decodeHashRange(body: Buffer): HashRange {
  return {
    root: body.subarray(0, 32),
    baseLayer: body.readUInt32BE(32),
    index: body.readUInt32BE(36),
    length: body.readUInt32BE(40),
    proofLayers: body.readUInt32BE(44),
  };
}

function decodeHashes(body: Buffer): HashesMessage {
  const range = decodeHashRange(body);
  const hashes = body.subarray(HASH_RANGE_BYTES);
  if (hashes.length % 32 !== 0 || hashes.length / 32 < range.length) {
    throw new BackroomError("E_WIRE", "a hashes message holds fewer hashes than it names, or a part of one");
  }
  return { type: "hashes", ...range, hashes };
}

/** The message's bytes with its length prefix. For blocks prefer `writePieceHead`, which copies nothing. */
export function encodeMessage(message: WireMessage): Buffer {
  if (message.type === "keepalive") return Buffer.alloc(4);
  const body = encodeBody(message);
  const bytes = Buffer.allocUnsafe(5 + body.length);
  bytes.writeUInt32BE(1 + body.length, 0);
  bytes.writeUInt8(IDS[message.type], 4);
  bytes.set(body, 5);
  return bytes;
}

/** In front of a block in a `piece` message. */
export const PIECE_HEAD_BYTES = 13;

/** Writes that into `target` at `at`, and gives where the block comes, as it is. */
export function writePieceHead(range: BlockRange, target: Buffer, at: number): number {
  target.writeUInt32BE(9 + range.length, at);
  target.writeUInt8(IDS.piece, at + 4);
  target.writeUInt32BE(range.piece, at + 5);
  return target.writeUInt32BE(range.begin, at + 9);
}

function encodeBody(message: Exclude<WireMessage, { type: "keepalive" }>): Buffer {
  switch (message.type) {
    case "have":
    case "suggest":
    case "allowedFast":
      return u32be(message.piece);
    case "bitfield":
      return message.bits;
    case "request":
    case "cancel":
    case "reject":
      return Buffer.concat([u32be(message.piece), u32be(message.begin), u32be(message.length)]);
    case "piece":
      return Buffer.concat([u32be(message.piece), u32be(message.begin), message.bytes]);
    case "port":
      return Buffer.from([message.port >>> 8, message.port & 255]);
    case "extended":
      return Buffer.concat([Buffer.from([message.id]), message.payload]);
    case "hashRequest":
    case "hashReject":
      return encodeHashRange(message);
    case "hashes":
      return Buffer.concat([encodeHashRange(message), message.hashes]);
    default:
      return Buffer.alloc(0);
  }
}

function encodeHashRange(range: HashRange): Buffer {
  const numbers = [range.baseLayer, range.index, range.length, range.proofLayers].map(u32be);
  return Buffer.concat([asBuffer(range.root), ...numbers]);
}
