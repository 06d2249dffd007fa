import { BackroomError } from "../base/errors.ts";
import { release } from "../base/memory.ts";
import { throwIfAborted } from "../base/abort.ts";
import { SEEK_TABLE_TAIL, decodeSeekTable, decodeSeekTableLength, type SeekTable } from "./seek-table.ts";
import type { PackSource } from "./source.ts";
import { decodeFrame } from "./zstd-frame.ts";

/** Neighbouring frames are read together up to this length, so that a chunk of the encryption is rarely opened twice. */
const READ = 4 * 1024 * 1024;
/** Unpacked bytes that may wait for whoever takes them, beside one frame: what several cores need to stay busy. */
const AHEAD = 16 * 1024 * 1024;
/** A frame that does not shrink is stored, whose headers fit into this. */
const MAX_OVERHEAD = 4096;

/** Shorter bytes may lie in memory that Node shares out. */
const OWN_MEMORY = 64 * 1024;

/** A stretch of the tar stream. */
export interface TarStretch {
  readonly offset: number;
  readonly bytes: Buffer;
  /** Once at most, when nobody uses the bytes any more: they may be gone at once, or with their neighbours. */
  giveBack(): void;
}

/** Reads and checks the seek table at the end of the plaintext. Raises E_PACK, and what reading raises. */
export async function readSeekTable(plain: PackSource, signal?: AbortSignal): Promise<SeekTable> {
  const tailLength = Math.min(plain.length, SEEK_TABLE_TAIL);
  const tail = await plain.read(plain.length - tailLength, tailLength, signal);
  const length = decodeSeekTableLength(tail);
  if (length > plain.length) throw new BackroomError("E_PACK", "the seek table is longer than the pack");
  const bytes =
    length <= tail.length
      ? tail.subarray(tail.length - length)
      : await plain.read(plain.length - length, length, signal);
  const table = decodeSeekTable(bytes);
  let end = length;
  for (let frame = 0; frame < table.count; frame++) {
    end += table.packedLength(frame);
    const contentLength = table.contentLength(frame);
    if (contentLength > 0 && table.packedLength(frame) > contentLength + MAX_OVERHEAD) {
      throw new BackroomError("E_PACK", "the seek table lists an impossible frame");
    }
  }
  if (end !== plain.length) throw new BackroomError("E_PACK", "the seek table does not add up to the pack");
  return table;
}

/** Length of the tar stream. */
export function tarLengthOf(table: SeekTable): number {
  let length = 0;
  for (let frame = 0; frame < table.count; frame++) length += table.contentLength(frame);
  return length;
}

interface Span {
  readonly frame: number;
  readonly packedOffset: number;
  readonly tarOffset: number;
}

/**
 * The tar stream, unpacked and in order, without the frames that have no mark in `marks`, where that is given. Frames are unpacked on the thread pool, several at a time, while
 * the caller works on earlier ones. Raises E_PACK, E_INTERRUPTED and what reading raises.
 */
export async function* readTarStream(
  plain: PackSource,
  table: SeekTable,
  signal: AbortSignal | undefined,
  marks?: Uint8Array,
): AsyncGenerator<TarStretch> {
  const waiting: { length: number; stretch: Promise<TarStretch> }[] = [];
  let ahead = 0;
  try {
    for (const batch of batches(table, marks)) {
      throwIfAborted(signal);
      const first = batch[0] as Span;
      const last = batch.at(-1) as Span;
      const packed = await plain.read(
        first.packedOffset,
        last.packedOffset + table.packedLength(last.frame) - first.packedOffset,
        signal,
      );
      let users = batch.length;
      const doneWithPacked = (): void => {
        if (--users === 0) release(packed);
      };
      for (const span of batch) {
        const start = span.packedOffset - first.packedOffset;
        const frame = packed.subarray(start, start + table.packedLength(span.frame));
        const length = table.contentLength(span.frame);
        const stretch = decodeFrame(frame, length).then((bytes) => {
          const isPacked = bytes.buffer === packed.buffer;
          if (!isPacked) doneWithPacked();
          const giveBack = isPacked ? doneWithPacked : (): void => releaseOwn(bytes);
          return { offset: span.tarOffset, bytes, giveBack };
        });
        // A failure counts when its turn comes.
        stretch.catch(() => {});
        waiting.push({ length, stretch });
        ahead += length;
      }
      while (ahead > AHEAD) {
        const next = waiting.shift() as (typeof waiting)[number];
        ahead -= next.length;
        yield await next.stretch;
      }
    }
    for (const next of waiting.splice(0)) yield await next.stretch;
  } finally {
    await Promise.allSettled(waiting.map((item) => item.stretch));
  }
}

function releaseOwn(bytes: Buffer): void {
  if (bytes.length >= OWN_MEMORY) release(Buffer.from(bytes.buffer));
}

/** Frames with content, grouped into neighbours that are read at once. */
function* batches(table: SeekTable, marks: Uint8Array | undefined): Generator<Span[]> {
  let batch: Span[] = [];
  let batchStart = 0;
  let packedOffset = 0;
  let tarOffset = 0;
  let unpacked = 0;
  for (let frame = 0; frame < table.count; frame++) {
    const packedEnd = packedOffset + table.packedLength(frame);
    const contentLength = table.contentLength(frame);
    const isWanted = marks === undefined || marks[frame] === 1;
    // What lies between two frames that are read together would be waited for.
    const isGap = !isWanted && contentLength > 0;
    const full = packedEnd - batchStart > READ || unpacked + contentLength > AHEAD;
    if (batch.length > 0 && (isGap || (contentLength > 0 && full))) {
      yield batch;
      batch = [];
    }
    if (contentLength > 0 && isWanted) {
      if (batch.length === 0) {
        batchStart = packedOffset;
        unpacked = 0;
      }
      batch.push({ frame, packedOffset, tarOffset });
      unpacked += contentLength;
    }
    packedOffset = packedEnd;
    tarOffset += contentLength;
  }
  if (batch.length > 0) yield batch;
}
