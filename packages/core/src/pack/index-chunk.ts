import { BackroomError } from "../base/errors.ts";
import { ByteReader, u16be, u48be } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import type { EntryKind, PackEntry } from "./entry.ts";

/*
 * The index, cut into chunks that are packed one by one (PROTOCOL 2.3).
 *
 *   chunk  = u8 version 1 ‖ u8 flags (bit 0: last) ‖ records                  at most 262,144 before packing
 *   record = u8 1 share          ‖ u8 n ‖ n name ‖ u16 n ‖ n comment          the first record of all
 *          | u8 2 file           ‖ u16 n ‖ n path ‖ u48 size ‖ u48 mtime ‖ u48 offset
 *          | u8 3 executable     ‖ as 2
 *          | u8 4 directory      ‖ as 2, size 0
 *          | u8 5 totals         ‖ u48 files ‖ u48 directories ‖ u48 bytes ‖ u48 tar length        the last record of all
 */
const VERSION = 1;
const KINDS: ReadonlyMap<number, EntryKind> = new Map([
  [2, "file"],
  [3, "executable"],
  [4, "directory"],
]);
const KIND_CODES: Readonly<Record<EntryKind, number>> = { file: 2, executable: 3, directory: 4 };

export interface ShareRecord {
  readonly type: "share";
  /** At most 255 bytes of UTF-8. */
  readonly name: string;
  /** At most 4096 bytes of UTF-8. */
  readonly comment: string;
}
export interface EntryRecord {
  readonly type: "entry";
  readonly entry: PackEntry;
}
export interface TotalsRecord {
  readonly type: "totals";
  readonly fileCount: number;
  readonly directoryCount: number;
  /** Of all files' contents. */
  readonly fileBytes: number;
  readonly tarLength: number;
}
export type IndexRecord = ShareRecord | EntryRecord | TotalsRecord;

export interface IndexChunk {
  readonly last: boolean;
  readonly records: readonly IndexRecord[];
}

export const CHUNK_HEADER_LENGTH = 2;

export function encodeChunkHeader(last: boolean): Buffer {
  return Buffer.from([VERSION, last ? 1 : 0]);
}

export function encodeRecord(record: IndexRecord): Buffer {
  if (record.type === "share") {
    const name = Buffer.from(record.name);
    const comment = Buffer.from(record.comment);
    return Buffer.concat([Buffer.from([1, name.length]), name, u16be(comment.length), comment]);
  }
  if (record.type === "totals") {
    const numbers = [record.fileCount, record.directoryCount, record.fileBytes, record.tarLength];
    return Buffer.concat([Buffer.from([5]), ...numbers.map((number) => u48be(number))]);
  }
  const { path, kind, size, mtime, offset } = record.entry;
  const bytes = Buffer.allocUnsafe(3 + Buffer.byteLength(path) + 18);
  bytes.writeUInt8(KIND_CODES[kind], 0);
  const pathLength = bytes.write(path, 3);
  bytes.writeUInt16BE(pathLength, 1);
  let at = 3 + pathLength;
  for (const number of [size, mtime, offset]) at = bytes.writeUIntBE(number, at, 6);
  return bytes;
}

export function encodeChunk(chunk: IndexChunk): Buffer {
  return Buffer.concat([
    encodeChunkHeader(chunk.last),
    ...chunk.records.map((record) => encodeRecord(record)),
  ]);
}

/** Decodes one unpacked chunk. Raises E_PACK for anything malformed; what records mean together is the reader's business. */
export function decodeChunk(bytes: Buffer): IndexChunk {
  if (bytes.length > LIMITS.packIndexChunkBytes)
    throw new BackroomError("E_PACK", "a chunk of the index is too long");
  const reader = new ByteReader(bytes, "E_PACK");
  if (reader.u8() !== VERSION) {
    throw new BackroomError("E_PACK", "the index is of an unknown version", { fix: "upgrade Backroom" });
  }
  const flags = reader.u8();
  if (flags > 1) throw new BackroomError("E_PACK", "the index uses unknown flags");
  const records: IndexRecord[] = [];
  while (reader.remaining > 0) records.push(decodeRecord(reader));
  return { last: flags === 1, records };
}

function decodeRecord(reader: ByteReader): IndexRecord {
  const type = reader.u8();
  if (type === 1) {
    const name = decodeText(reader.take(reader.u8()));
    const comment = decodeText(bounded(reader, LIMITS.packCommentBytes));
    return { type: "share", name, comment };
  }
  if (type === 5) {
    const [fileCount, directoryCount, fileBytes, tarLength] = [
      reader.u48(),
      reader.u48(),
      reader.u48(),
      reader.u48(),
    ];
    return { type: "totals", fileCount, directoryCount, fileBytes, tarLength };
  }
  const kind = KINDS.get(type);
  if (kind === undefined) throw new BackroomError("E_PACK", "the index has a record of an unknown type");
  const path = decodeText(bounded(reader, LIMITS.packPathBytes));
  const [size, mtime, offset] = [reader.u48(), reader.u48(), reader.u48()];
  if ((kind === "directory") !== path.endsWith("/") || (kind === "directory" && size !== 0)) {
    throw new BackroomError("E_PACK", "an entry contradicts its kind");
  }
  return { type: "entry", entry: { path, kind, size, mtime, offset } };
}

function bounded(reader: ByteReader, limit: number): Buffer {
  const length = reader.u16();
  if (length > limit) throw new BackroomError("E_PACK", "a text in the index is too long");
  return reader.take(length);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Strict, so that one path has one form in bytes. */
function decodeText(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new BackroomError("E_PACK", "a text in the index is not UTF-8", { cause: error });
  }
}
