import { BackroomError } from "../base/errors.ts";
import { throwIfAborted } from "../base/abort.ts";
import type { AgeKeys } from "./age-header.ts";
import type { AgePlain } from "./age-body.ts";
import { openAgeSource } from "./age-source.ts";
import type { PackEntry } from "./entry.ts";
import { readSeekTable } from "./frame-reader.ts";
import { entriesOf, readShareRecord } from "./index-reader.ts";
import { SEEK_TABLE_TAIL, seekTableLength, type SeekTable } from "./seek-table.ts";
import type { PackSource } from "./source.ts";
import { decodeFrame } from "./zstd-frame.ts";

/** A stretch of the pack, in bytes. */
export interface PackSpan {
  readonly offset: number;
  readonly length: number;
}

/** Where a frame with content lies: in the plaintext, and what it unpacks to in the tar stream. */
interface FrameTable {
  readonly count: number;
  /** One more than there are frames: the last one is the end. */
  readonly packedOffsets: Float64Array;
  readonly tarOffsets: Float64Array;
}

/** How the list of files is read. */
export interface Listing {
  /** Says whether a stretch of the pack is there: with it nothing is waited for. */
  readonly has?: ((span: PackSpan) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The files of a pack, any part of them, without unpacking the rest. The source may still be downloading: what is read is waited for, until `signal` is
 * aborted. Everything raises E_PACK, E_INTERRUPTED and what the source raises; that a whole pack opens in order is not checked here.
 */
export class PackReader {
  /** From the sharer. */
  readonly name: string;
  readonly #plain: AgePlain;
  /** In the plaintext: how far anybody has read the index. */
  #indexEnd = 0;
  #frames: FrameTable | undefined;

  private constructor(plain: AgePlain, name: string) {
    this.#plain = plain;
    this.name = name;
  }

  /** Needs the front and the last bytes of the pack. Raises also E_NO_KEY, E_AGE_HEADER, E_CRYPTO. */
  static async open(source: PackSource, keys: AgeKeys, signal?: AbortSignal): Promise<PackReader> {
    const plain = await openAgeSource(source, keys, signal);
    const { name } = await readShareRecord(plain, signal);
    return new PackReader(plain, name);
  }

  /** Every file and directory in the pack's order; may be called again. With `has`, raises E_NOT_HELD where a part of the index is not there. */
  async *entries({ has, signal }: Listing = {}): AsyncGenerator<PackEntry> {
    const plain = has === undefined ? this.#plain : onlyHeld(this.#plain, has);
    const noted: PackSource = {
      length: plain.length,
      read: (offset, length, stop) => {
        this.#indexEnd = Math.max(this.#indexEnd, offset + length);
        return plain.read(offset, length, stop);
      },
    };
    yield* entriesOf(noted, signal);
  }

  /** The stretches of the pack without which nothing of it can be opened: its front, with the index as far as it was read, and its end. */
  async frame(): Promise<PackSpan[]> {
    const { count } = await this.#table();
    const front = this.#plain.sealedSpan(0, this.#indexEnd);
    const tail = Math.min(this.#plain.length, Math.max(SEEK_TABLE_TAIL, seekTableLength(count)));
    return [
      { offset: 0, length: front.offset + front.length },
      this.#plain.sealedSpan(this.#plain.length - tail, tail),
    ];
  }

  /** The stretch of the pack that holds a file; without length where it has no content. */
  async spanOf({ offset, size }: Pick<PackEntry, "offset" | "size">): Promise<PackSpan> {
    if (size === 0) return { offset: 0, length: 0 };
    const frames = await this.#table();
    const from = frames.packedOffsets[frameAt(frames, offset)] as number;
    const until = frames.packedOffsets[frameAt(frames, offset + size - 1) + 1] as number;
    return this.#plain.sealedSpan(from, until - from);
  }

  /** Bytes `start` up to but without `end` of a file, in order. */
  async *read(entry: PackEntry, start: number, end: number, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const frames = await this.#table(signal);
    const until = entry.offset + Math.min(end, entry.size);
    for (let at = entry.offset + Math.max(0, start); at < until;) {
      const frame = frameAt(frames, at);
      const packedAt = frames.packedOffsets[frame] as number;
      const tarAt = frames.tarOffsets[frame] as number;
      const packedLength = (frames.packedOffsets[frame + 1] as number) - packedAt;
      throwIfAborted(signal);
      const packed = await this.#plain.read(packedAt, packedLength, signal);
      const content = await decodeFrame(packed, (frames.tarOffsets[frame + 1] as number) - tarAt);
      const part = content.subarray(at - tarAt, until - tarAt);
      at += part.length;
      yield part;
    }
  }

  /**
   * How many bytes of a file can be read by now. `has` says whether a stretch of the pack is there. The table of frames is at the end of the pack, so
   * the caller makes sure first that this is there.
   */
  async readableBytes(
    entry: PackEntry,
    has: (span: PackSpan) => boolean,
    signal?: AbortSignal,
  ): Promise<number> {
    const frames = await this.#table(signal);
    const until = entry.offset + entry.size;
    let bytes = 0;
    for (let at = entry.offset; at < until;) {
      const frame = frameAt(frames, at);
      const packedAt = frames.packedOffsets[frame] as number;
      const next = Math.min(until, frames.tarOffsets[frame + 1] as number);
      const span = this.#plain.sealedSpan(packedAt, (frames.packedOffsets[frame + 1] as number) - packedAt);
      if (has(span)) bytes += next - at;
      at = next;
    }
    return bytes;
  }

  /** Who comes while it is being read reads it, too, rather than depend on how long somebody else waits. */
  async #table(signal?: AbortSignal): Promise<FrameTable> {
    return (this.#frames ??= tableOf(await readSeekTable(this.#plain, signal)));
  }
}

function onlyHeld(plain: AgePlain, has: (span: PackSpan) => boolean): PackSource {
  return {
    length: plain.length,
    async read(offset, length, signal) {
      if (!has(plain.sealedSpan(offset, length))) {
        throw new BackroomError("E_NOT_HELD", "the index of the share is not here, or not all of it");
      }
      return plain.read(offset, length, signal);
    },
  };
}

function tableOf(table: SeekTable): FrameTable {
  const packedOffsets = new Float64Array(table.count + 1);
  const tarOffsets = new Float64Array(table.count + 1);
  for (let frame = 0; frame < table.count; frame++) {
    packedOffsets[frame + 1] = (packedOffsets[frame] as number) + table.packedLength(frame);
    tarOffsets[frame + 1] = (tarOffsets[frame] as number) + table.contentLength(frame);
  }
  return { count: table.count, packedOffsets, tarOffsets };
}

/** The frame that holds a place in the tar stream. Frames without content start where the next one does, so the last of those that start there counts. */
function frameAt({ count, tarOffsets }: FrameTable, at: number): number {
  let low = 0;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((tarOffsets[middle] as number) <= at) low = middle;
    else high = middle;
  }
  return low;
}
