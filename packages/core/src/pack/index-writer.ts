import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { CHUNK_HEADER_LENGTH, decodeChunk, encodeChunkHeader, encodeRecord } from "./index-chunk.ts";
import type { IndexRecord, TotalsRecord } from "./index-chunk.ts";
import type { PackEntry } from "./entry.ts";
import { TAR_END, tarHeaderLength, tarPadding } from "./tar.ts";
import { INDEX_MAGIC, SKIPPABLE_HEADER_LENGTH, encodeSkippableHeader } from "./zstd-format.ts";
import { decodeSmallFrame, encodeSmallFrame } from "./zstd-frame.ts";

/**
 * Builds the index while the input is walked, and keeps it packed: about 15 bytes an entry, so that sealing a million files holds
 * megabytes, not their paths. The second pass, over the contents, reads the entries back from here.
 */
export class IndexWriter {
  readonly #frames: Buffer[] = [];
  #pending: Buffer[] = [];
  #pendingLength = CHUNK_HEADER_LENGTH;
  #tarLength = 0;
  #fileCount = 0;
  #directoryCount = 0;
  #fileBytes = 0;
  #totals: TotalsRecord | undefined;

  constructor(name: string, comment: string) {
    this.#append({ type: "share", name, comment });
  }

  /** Appends the next entry of the tar stream, whose offset follows from those before it. */
  add(entry: Omit<PackEntry, "offset">): void {
    if (this.#fileCount + this.#directoryCount >= LIMITS.packEntries) {
      throw new BackroomError("E_INPUT", "there are more files than a share can list", {
        fix: "share them as one archive",
      });
    }
    const offset = this.#tarLength + tarHeaderLength(entry);
    this.#append({ type: "entry", entry: { ...entry, offset } });
    this.#tarLength = offset + entry.size + tarPadding(entry.size).length;
    if (entry.kind === "directory") this.#directoryCount++;
    else this.#fileCount++;
    this.#fileBytes += entry.size;
  }

  /** Ends the index. */
  finish(): TotalsRecord {
    this.#totals = {
      type: "totals",
      fileCount: this.#fileCount,
      directoryCount: this.#directoryCount,
      fileBytes: this.#fileBytes,
      tarLength: this.#tarLength + TAR_END.length,
    };
    this.#append(this.#totals);
    this.#flush(true);
    return this.#totals;
  }

  /** The index frames, in order; after `finish`. */
  get frames(): readonly Buffer[] {
    return this.#frames;
  }

  /** The entries again, in order; after `finish`. */
  *entries(): Generator<PackEntry> {
    for (const frame of this.#frames) {
      const chunk = decodeChunk(
        decodeSmallFrame(frame.subarray(SKIPPABLE_HEADER_LENGTH), LIMITS.packIndexChunkBytes),
      );
      for (const record of chunk.records) if (record.type === "entry") yield record.entry;
    }
  }

  #append(record: IndexRecord): void {
    const bytes = encodeRecord(record);
    if (this.#pendingLength + bytes.length > LIMITS.packIndexChunkBytes) this.#flush(false);
    this.#pending.push(bytes);
    this.#pendingLength += bytes.length;
  }

  #flush(last: boolean): void {
    const packed = encodeSmallFrame(Buffer.concat([encodeChunkHeader(last), ...this.#pending]));
    this.#frames.push(Buffer.concat([encodeSkippableHeader(INDEX_MAGIC, packed.length), packed]));
    this.#pending = [];
    this.#pendingLength = CHUNK_HEADER_LENGTH;
  }
}
