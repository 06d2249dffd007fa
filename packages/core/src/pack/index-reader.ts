import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { throwIfAborted } from "../base/abort.ts";
import { EntryOrder, type PackEntry } from "./entry.ts";
import { decodeChunk } from "./index-chunk.ts";
import type { IndexRecord, ShareRecord, TotalsRecord } from "./index-chunk.ts";
import type { PackSource } from "./source.ts";
import { TAR_END, tarPadding } from "./tar.ts";
import { INDEX_MAGIC, SKIPPABLE_HEADER_LENGTH, decodeSkippableHeader } from "./zstd-format.ts";
import { decodeSmallFrame } from "./zstd-frame.ts";

/** A header in front of an entry's content: one block at least. */
const MIN_HEADER = 512;

/**
 * Reads the index from the front of a pack's plaintext, a chunk at a time. Yields the share record, the entries, and the totals last, all of
 * them checked: order, parents, offsets that rise without overlap, and totals that add up. Raises E_PACK otherwise, and E_INTERRUPTED once `signal` is
 * aborted.
 */
export async function* readIndex(plain: PackSource, signal?: AbortSignal): AsyncGenerator<IndexRecord> {
  const state = new IndexState();
  let offset = 0;
  for (let last = false; !last;) {
    throwIfAborted(signal);
    const header = await readWithin(plain, offset, SKIPPABLE_HEADER_LENGTH, signal);
    const length = decodeSkippableHeader(header, INDEX_MAGIC);
    // A stored frame is the longest that an honest chunk becomes; 64 covers its headers.
    if (length > LIMITS.packIndexChunkBytes + 64)
      throw new BackroomError("E_PACK", "a chunk of the index is too long");
    const frame = await readWithin(plain, offset + SKIPPABLE_HEADER_LENGTH, length, signal);
    const chunk = decodeChunk(decodeSmallFrame(frame, LIMITS.packIndexChunkBytes));
    if (chunk.records.length === 0) throw new BackroomError("E_PACK", "a chunk of the index is empty");
    for (const record of chunk.records) {
      state.check(record);
      yield record;
    }
    last = chunk.last;
    offset += SKIPPABLE_HEADER_LENGTH + length;
  }
  state.end();
}

/** Every file and directory of the index. */
export async function* entriesOf(plain: PackSource, signal?: AbortSignal): AsyncGenerator<PackEntry> {
  for await (const record of readIndex(plain, signal)) if (record.type === "entry") yield record.entry;
}

/** The share record, which is the first. */
export async function readShareRecord(plain: PackSource, signal?: AbortSignal): Promise<ShareRecord> {
  for await (const record of readIndex(plain, signal)) if (record.type === "share") return record;
  throw new BackroomError("E_PACK", "the index is empty");
}

async function readWithin(
  plain: PackSource,
  offset: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  if (offset + length > plain.length) throw new BackroomError("E_PACK", "the index is longer than the pack");
  return await plain.read(offset, length, signal);
}

/** What the records seen so far allow next. */
class IndexState {
  readonly #order = new EntryOrder();
  #started = false;
  #ended = false;
  #tarEnd = 0;
  #fileCount = 0;
  #directoryCount = 0;
  #fileBytes = 0;

  check(record: IndexRecord): void {
    if (this.#ended || this.#started === (record.type === "share")) {
      throw new BackroomError("E_PACK", "the records of the index are not in order");
    }
    this.#started = true;
    if (record.type === "entry") this.#entry(record.entry);
    if (record.type === "totals") this.#checkTotals(record);
  }

  end(): void {
    if (!this.#ended) throw new BackroomError("E_PACK", "the index ends without its totals");
  }

  #entry(entry: PackEntry): void {
    this.#order.next(entry.path);
    if (entry.offset < this.#tarEnd + MIN_HEADER || entry.offset % 512 !== 0) {
      throw new BackroomError("E_PACK", "an entry overlaps the one before it");
    }
    this.#tarEnd = entry.offset + entry.size + tarPadding(entry.size).length;
    if (entry.kind === "directory") this.#directoryCount++;
    else this.#fileCount++;
    this.#fileBytes += entry.size;
    if (this.#fileCount + this.#directoryCount > LIMITS.packEntries || !Number.isSafeInteger(this.#tarEnd)) {
      throw new BackroomError("E_PACK", "the index lists too much");
    }
  }

  #checkTotals(totals: TotalsRecord): void {
    this.#ended = true;
    const agree =
      totals.fileCount === this.#fileCount &&
      totals.directoryCount === this.#directoryCount &&
      totals.fileBytes === this.#fileBytes &&
      totals.tarLength === this.#tarEnd + TAR_END.length;
    if (!agree) throw new BackroomError("E_PACK", "the totals of the index do not add up");
  }
}
