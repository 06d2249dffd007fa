import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from "node:zlib";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { decodeFrameShape, encodeStoredFrame, storedFrameLength } from "./zstd-format.ts";

/** The probe looks at this much of a unit, in slices spread over it: long enough to show text and code, cheap beside the unit. */
const PROBE_SLICES = 4;
const PROBE_SLICE = 4096;
/** What the thread pool writes in one go. */
export const COMPRESS_CHUNK = 1024 * 1024;
/** Saving less than this is not worth a reader's time. */
const WORTHWHILE = 0.97;

/** True if zstd would make `unit` clearly smaller, judged from a sample. Determined by the content. */
export function seemsCompressible(unit: Buffer): boolean {
  const sample = takeSample(unit);
  const packed = zstdCompressSync(sample, {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    pledgedSrcSize: sample.length,
    chunkSize: sample.length + 1024,
  });
  return packed.length < sample.length * WORTHWHILE;
}

function takeSample(unit: Buffer): Buffer {
  if (unit.length <= PROBE_SLICES * PROBE_SLICE) return unit;
  const stride = Math.floor((unit.length - PROBE_SLICE) / (PROBE_SLICES - 1));
  const starts = Array.from({ length: PROBE_SLICES }, (_, index) => index * stride);
  return Buffer.concat(starts.map((start) => unit.subarray(start, start + PROBE_SLICE)));
}

/**
 * `content` (1 byte to 8 MiB) as one frame with its content size, packed on the thread pool; or `undefined` where a stored frame
 * would be about as short. `content` must not change meanwhile.
 */
export async function compressFrame(content: Buffer, level: number): Promise<Buffer | undefined> {
  const packed = await new Promise<Buffer>((resolve, reject) => {
    const options = {
      params: { [constants.ZSTD_c_compressionLevel]: level },
      pledgedSrcSize: content.length,
      // Each chunk is a trip to the thread pool and back.
      chunkSize: Math.min(content.length + 1024, COMPRESS_CHUNK),
    };
    zstdCompress(content, options, (error, packed) => {
      if (error === null) resolve(firstFrame(packed));
      else reject(error);
    });
  });
  return packed.length < storedFrameLength(content.length) * WORTHWHILE ? packed : undefined;
}

/**
 * node:zlib appends an empty frame where the first one ends exactly with a chunk of its output. It would unpack to nothing, but a pack's
 * frames are counted.
 */
function firstFrame(packed: Buffer): Buffer {
  return packed.subarray(0, decodeFrameShape(packed).frameLength);
}

/** As `compressFrame`, at once, and stored where that is shorter: for the small chunks of the index. */
export function encodeSmallFrame(content: Buffer): Buffer {
  const options = { pledgedSrcSize: content.length, chunkSize: content.length + 1024 };
  const packed = firstFrame(zstdCompressSync(content, options));
  return packed.length < storedFrameLength(content.length)
    ? packed
    : Buffer.concat(encodeStoredFrame(content));
}

/**
 * Unpacks one frame that fills `frame` and holds `contentLength` bytes, no more than that in memory. Raises E_PACK otherwise. Takes over
 * `frame`: what comes out may lie in its memory.
 */
export async function decodeFrame(frame: Buffer, contentLength: number): Promise<Buffer> {
  const raw = checkFrame(frame, contentLength);
  if (raw !== undefined) return raw;
  const unpacked = await new Promise<Buffer>((resolve, reject) => {
    zstdDecompress(frame, decodeOptions(contentLength), (error, bytes) => {
      if (error === null) resolve(bytes);
      else reject(refused(error));
    });
  });
  return checkLength(unpacked, contentLength);
}

/** Unpacks, at once and into memory of its own, a small chunk of the index, whose size the frame itself says, up to `maxLength`. */
export function decodeSmallFrame(frame: Buffer, maxLength: number): Buffer {
  const { contentLength } = decodeFrameShape(frame);
  if (contentLength > maxLength) throw new BackroomError("E_PACK", "a zstd frame is too long");
  const raw = checkFrame(Buffer.from(frame), contentLength);
  if (raw !== undefined) return raw;
  try {
    return checkLength(zstdDecompressSync(frame, decodeOptions(contentLength)), contentLength);
  } catch (error) {
    throw refused(error);
  }
}

/** Returns the content of a frame that needs no decoder, in the frame's memory. */
function checkFrame(frame: Buffer, contentLength: number): Buffer | undefined {
  const shape = decodeFrameShape(frame);
  if (shape.frameLength !== frame.length) throw new BackroomError("E_PACK", "bytes follow a zstd frame");
  if (shape.contentLength !== contentLength)
    throw new BackroomError("E_PACK", "a zstd frame has the wrong length");
  if (shape.rawBlocks === undefined) return undefined;
  // The blocks move together in place, over the headers between them: copies would cost as much as decrypting.
  let filled = 0;
  for (const { offset, length } of shape.rawBlocks)
    filled += frame.copy(frame, filled, offset, offset + length);
  return frame.subarray(0, filled);
}

function decodeOptions(contentLength: number): object {
  return {
    params: { [constants.ZSTD_d_windowLogMax]: LIMITS.packWindowLog },
    // A bomb meets this bound whatever its blocks say.
    maxOutputLength: Math.max(1, contentLength),
    // A little more than the content, so that one call sees the end.
    chunkSize: contentLength + 64,
  };
}

function checkLength(unpacked: Buffer, contentLength: number): Buffer {
  if (unpacked.length !== contentLength)
    throw new BackroomError("E_PACK", "a zstd frame has the wrong length");
  return unpacked;
}

function refused(error: unknown): BackroomError {
  if (error instanceof BackroomError) return error;
  return new BackroomError("E_PACK", "a zstd frame cannot be unpacked", { cause: error });
}
