import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import {
  SEEK_TABLE_MAGIC,
  SKIPPABLE_HEADER_LENGTH,
  decodeSkippableHeader,
  encodeSkippableHeader,
} from "./zstd-format.ts";

/*
 * The Zstandard seekable format's table: the last skippable frame, little-endian (PROTOCOL 2.7).
 *
 *   u32 0x184D2A5E ‖ u32 length ‖ entries ‖ u32 number of entries ‖ u8 descriptor (0) ‖ u32 0x8F92EAB1
 *   entry = u32 length of the frame ‖ u32 length unpacked (0 for skippable frames)
 */
const FOOTER_LENGTH = 9;
const ENTRY_LENGTH = 8;
const FOOTER_MAGIC = 0x8f92eab1;
/** Bit 7 would announce checksums, which we do without since age authenticates; bits 6 to 2 are reserved. */
const REFUSED_DESCRIPTOR_BITS = 0xfc;
/** Read first: header and footer of every table, and all of the tables of packs up to about 60 GiB. */
export const SEEK_TABLE_TAIL = 64 * 1024;

export function seekTableLength(frameCount: number): number {
  return SKIPPABLE_HEADER_LENGTH + ENTRY_LENGTH * frameCount + FOOTER_LENGTH;
}

/** The frames of a pack in order. Eight bytes a frame, since a large pack has millions. */
export class SeekTable {
  #sizes: Uint32Array;
  #count = 0;

  constructor(capacity = 64) {
    this.#sizes = new Uint32Array(2 * capacity);
  }

  get count(): number {
    return this.#count;
  }

  /** Appends a frame of `packedLength` bytes that unpacks to `contentLength`. */
  add(packedLength: number, contentLength: number): void {
    if (this.#count >= LIMITS.packFrames) throw new BackroomError("E_PACK", "the pack has too many frames");
    if (2 * this.#count === this.#sizes.length) {
      const grown = new Uint32Array(2 * this.#sizes.length);
      grown.set(this.#sizes);
      this.#sizes = grown;
    }
    this.#sizes[2 * this.#count] = packedLength;
    this.#sizes[2 * this.#count + 1] = contentLength;
    this.#count++;
  }

  packedLength(frame: number): number {
    return this.#sizes[2 * frame] ?? 0;
  }

  contentLength(frame: number): number {
    return this.#sizes[2 * frame + 1] ?? 0;
  }

  /** The table as a skippable frame. */
  encode(): Buffer {
    const length = seekTableLength(this.#count);
    const bytes = Buffer.alloc(length);
    encodeSkippableHeader(SEEK_TABLE_MAGIC, length - SKIPPABLE_HEADER_LENGTH).copy(bytes);
    let offset = SKIPPABLE_HEADER_LENGTH;
    for (let frame = 0; frame < this.#count; frame++) {
      offset = bytes.writeUInt32LE(this.packedLength(frame), offset);
      offset = bytes.writeUInt32LE(this.contentLength(frame), offset);
    }
    offset = bytes.writeUInt32LE(this.#count, offset);
    bytes.writeUInt32LE(FOOTER_MAGIC, offset + 1);
    return bytes;
  }
}

/** Length of the whole seek table frame, from the last bytes of a pack's plaintext (9 at least). Raises E_PACK. */
export function decodeSeekTableLength(tail: Buffer): number {
  if (tail.length < FOOTER_LENGTH || tail.readUInt32LE(tail.length - 4) !== FOOTER_MAGIC) {
    throw new BackroomError("E_PACK", "the pack does not end in a seek table");
  }
  const count = tail.readUInt32LE(tail.length - FOOTER_LENGTH);
  if ((tail.readUInt8(tail.length - 5) & REFUSED_DESCRIPTOR_BITS) !== 0 || count > LIMITS.packFrames) {
    throw new BackroomError("E_PACK", "the seek table is of an unknown kind or too long");
  }
  return seekTableLength(count);
}

/**
 * Reads the seek table frame that fills `bytes`. Raises E_PACK for a malformed table and for frames that are longer unpacked than a pack's may be.
 * Two unused bits of the descriptor are ignored, as the format asks.
 */
export function decodeSeekTable(bytes: Buffer): SeekTable {
  const length = decodeSkippableHeader(bytes, SEEK_TABLE_MAGIC) + SKIPPABLE_HEADER_LENGTH;
  if (length !== bytes.length || decodeSeekTableLength(bytes) !== length) {
    throw new BackroomError("E_PACK", "the seek table contradicts its own length");
  }
  const count = (length - seekTableLength(0)) / ENTRY_LENGTH;
  const table = new SeekTable(Math.max(1, count));
  for (let frame = 0; frame < count; frame++) {
    const offset = SKIPPABLE_HEADER_LENGTH + ENTRY_LENGTH * frame;
    const packed = bytes.readUInt32LE(offset);
    const content = bytes.readUInt32LE(offset + 4);
    if (packed < SKIPPABLE_HEADER_LENGTH || content > LIMITS.packFrameBytes) {
      throw new BackroomError("E_PACK", "the seek table lists an impossible frame");
    }
    table.add(packed, content);
  }
  return table;
}
