import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

/*
 * The parts of the Zstandard format (RFC 8878) that a pack is made of. Little-endian, unlike everything else here.
 *
 *   skippable frame = u32 0x184D2A5n ‖ u32 length ‖ content
 *   frame           = u32 0xFD2FB528 ‖ u8 descriptor ‖ [u8 window] ‖ content size ‖ blocks
 *   stored frame    = u32 0xFD2FB528 ‖ 0xA0 (one segment, size of 4 bytes) ‖ u32 content size ‖ raw blocks of 131,072
 *   block           = u24 (size << 3 | type << 1 | last) ‖ content          type 0 raw, 1 one repeated byte, 2 compressed
 */
export const INDEX_MAGIC = 0x184d2a50;
export const PADDING_MAGIC = 0x184d2a51;
export const SEEK_TABLE_MAGIC = 0x184d2a5e;
export const SKIPPABLE_HEADER_LENGTH = 8;
const FRAME_MAGIC = 0xfd2fb528;
const STORED_DESCRIPTOR = 0xa0;
const MAX_BLOCK = 128 * 1024;

export function encodeSkippableHeader(magic: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(SKIPPABLE_HEADER_LENGTH);
  header.writeUInt32LE(magic, 0);
  header.writeUInt32LE(length, 4);
  return header;
}

/** Raises E_PACK unless `bytes` starts with a skippable frame's header of this magic; returns the content's length. */
export function decodeSkippableHeader(bytes: Buffer, magic: number): number {
  if (bytes.length < SKIPPABLE_HEADER_LENGTH || bytes.readUInt32LE(0) !== magic) {
    throw new BackroomError("E_PACK", "a skippable frame is not where it should be");
  }
  return bytes.readUInt32LE(4);
}

/** `content` (1 byte to 8 MiB) as a stored frame, in parts that share its memory. Determined by the content alone. */
export function encodeStoredFrame(content: Buffer): Buffer[] {
  const header = Buffer.allocUnsafe(9);
  header.writeUInt32LE(FRAME_MAGIC, 0);
  header.writeUInt8(STORED_DESCRIPTOR, 4);
  header.writeUInt32LE(content.length, 5);
  const parts: Buffer[] = [header];
  for (let offset = 0; offset < content.length; offset += MAX_BLOCK) {
    const block = content.subarray(offset, offset + MAX_BLOCK);
    const last = offset + MAX_BLOCK >= content.length;
    const blockHeader = Buffer.allocUnsafe(3);
    blockHeader.writeUIntLE((block.length << 3) | (last ? 1 : 0), 0, 3);
    parts.push(blockHeader, block);
  }
  return parts;
}

export function storedFrameLength(contentLength: number): number {
  return 9 + 3 * Math.ceil(contentLength / MAX_BLOCK) + contentLength;
}

/** What a frame says of itself, and where its blocks are. */
export interface FrameShape {
  readonly contentLength: number;
  /** Length of the whole frame. */
  readonly frameLength: number;
  /** Where each raw block's content lies, if all blocks are raw; then no decoder is needed. */
  readonly rawBlocks: readonly { readonly offset: number; readonly length: number }[] | undefined;
}

/**
 * Reads the header and walks the blocks of the frame that `bytes` starts with, without unpacking anything, so that exactly one frame is given
 * to a decoder. Raises E_PACK for what a pack may not hold: no content size, more than 8 MiB of it, a dictionary, a larger window.
 */
export function decodeFrameShape(bytes: Buffer): FrameShape {
  const header = decodeFrameHeader(bytes);
  let offset = header.length;
  const raw: { offset: number; length: number }[] = [];
  let allRaw = true;
  let rawTotal = 0;
  for (let last = false; !last;) {
    if (offset + 3 > bytes.length) throw new BackroomError("E_PACK", "a zstd frame ends too early");
    const block = bytes.readUIntLE(offset, 3);
    last = (block & 1) === 1;
    const type = (block >> 1) & 3;
    const size = block >> 3;
    if (type === 3 || size > MAX_BLOCK) throw new BackroomError("E_PACK", "a zstd block is malformed");
    offset += 3;
    if (type === 0) raw.push({ offset, length: size });
    else allRaw = false;
    rawTotal += size;
    offset += type === 1 ? 1 : size;
  }
  if (header.checksum) offset += 4;
  if (offset > bytes.length) throw new BackroomError("E_PACK", "a zstd frame ends too early");
  if (allRaw && rawTotal !== header.contentLength)
    throw new BackroomError("E_PACK", "a zstd frame has the wrong length");
  return { contentLength: header.contentLength, frameLength: offset, rawBlocks: allRaw ? raw : undefined };
}

function decodeFrameHeader(bytes: Buffer): { contentLength: number; length: number; checksum: boolean } {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== FRAME_MAGIC) {
    throw new BackroomError("E_PACK", "a zstd frame is not where it should be");
  }
  const descriptor = bytes.readUInt8(4);
  const single = (descriptor & 0x20) !== 0;
  const sizeCode = descriptor >> 6;
  if ((descriptor & 0x0b) !== 0) throw new BackroomError("E_PACK", "a zstd frame uses what packs may not");
  if (sizeCode === 0 && !single) throw new BackroomError("E_PACK", "a zstd frame hides its size");
  const sizeLength = 1 << sizeCode;
  const sizeOffset = single ? 5 : 6;
  if (bytes.length < sizeOffset + sizeLength)
    throw new BackroomError("E_PACK", "a zstd frame ends too early");
  if (!single) {
    const window = bytes.readUInt8(5);
    const base = 2 ** (10 + (window >> 3));
    if (base + (base / 8) * (window & 7) > 2 ** LIMITS.packWindowLog) {
      throw new BackroomError("E_PACK", "a zstd frame asks for too much memory");
    }
  }
  const contentLength =
    sizeLength === 8
      ? Number(bytes.readBigUInt64LE(sizeOffset))
      : bytes.readUIntLE(sizeOffset, sizeLength) + (sizeLength === 2 ? 256 : 0);
  if (contentLength > LIMITS.packFrameBytes) throw new BackroomError("E_PACK", "a zstd frame is too long");
  return { contentLength, length: sizeOffset + sizeLength, checksum: (descriptor & 4) !== 0 };
}
