import { BackroomError } from "../base/errors.ts";
import type { PackEntry } from "./entry.ts";

/*
 * POSIX pax interchange format, the few parts of it that a pack has (PROTOCOL 2.2).
 *
 *   entry  = [pax header block ‖ pax records, zeros to 512] ‖ header block ‖ content, zeros to 512
 *   header = 100 name ‖ 8 mode ‖ 8 uid ‖ 8 gid ‖ 12 size ‖ 12 mtime ‖ 8 checksum ‖ 1 type ‖ 100 link
 *            ‖ "ustar\0" ‖ "00" ‖ 32 owner ‖ 32 group ‖ 8 ‖ 8 ‖ 155 prefix ‖ 12 zeros
 *   record = decimal length of the record ‖ " " ‖ key ‖ "=" ‖ value ‖ "\n"
 */
export const TAR_BLOCK = 512;
/** Eleven octal digits: 8 GiB − 1. Larger sizes go into a pax record. */
const MAX_OCTAL_SIZE = 0o77777777777;
const PRINTABLE_ASCII = /^[\x20-\x7e]{1,100}$/;

/** Two blocks of zeros end a tar stream. */
export const TAR_END = Buffer.alloc(2 * TAR_BLOCK);
const PADDING = Buffer.alloc(TAR_BLOCK);

/** Zeros that follow `size` bytes of content. */
export function tarPadding(size: number): Buffer {
  return PADDING.subarray(0, (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK);
}

type TarEntry = Omit<PackEntry, "offset">;

/** Length of what `encodeTarHeader` gives. */
export function tarHeaderLength(entry: TarEntry): number {
  const oneBlock = hasPlainName(entry) && entry.size <= MAX_OCTAL_SIZE;
  return oneBlock ? TAR_BLOCK : encodeTarHeader(entry).length;
}

function hasPlainName(entry: TarEntry): boolean {
  return PRINTABLE_ASCII.test(entry.path);
}

/** Everything in front of an entry's content, a multiple of 512 bytes; determined by its fields alone. */
export function encodeTarHeader(entry: TarEntry): Buffer {
  const records: Buffer[] = [];
  const plainName = hasPlainName(entry);
  if (!plainName) records.push(paxRecord("path", entry.path));
  if (entry.size > MAX_OCTAL_SIZE) records.push(paxRecord("size", String(entry.size)));
  const header = encodeBlock({
    // Readers that know pax ignore this name; for the others it stays short and printable.
    name: plainName ? entry.path : entry.path.replaceAll(/[^\x20-\x7e]/g, "_").slice(-100),
    mode: entry.kind === "file" ? 0o644 : 0o755,
    size: entry.size > MAX_OCTAL_SIZE ? 0 : entry.size,
    mtime: entry.mtime,
    type: entry.kind === "directory" ? "5" : "0",
  });
  if (records.length === 0) return header;
  const body = Buffer.concat(records);
  const pax = encodeBlock({ name: "././@PaxHeader", mode: 0o644, size: body.length, mtime: 0, type: "x" });
  return Buffer.concat([pax, body, tarPadding(body.length), header]);
}

/** The fields that all headers share. The checksum is taken with its own field full of spaces. */
const EMPTY_HEADER = emptyHeader();

function emptyHeader(): Buffer {
  const block = Buffer.alloc(TAR_BLOCK);
  for (const offset of [108, 116, 329, 337]) octal(block, offset, 8, 0);
  block.fill(" ", 148, 156, "latin1");
  block.write("ustar\u{0}00", 257, "latin1");
  return block;
}

function encodeBlock(fields: {
  name: string;
  mode: number;
  size: number;
  mtime: number;
  type: string;
}): Buffer {
  const block = Buffer.from(EMPTY_HEADER);
  block.write(fields.name, 0, 100, "latin1");
  octal(block, 100, 8, fields.mode);
  octal(block, 124, 12, fields.size);
  octal(block, 136, 12, fields.mtime);
  block.write(fields.type, 156, "latin1");
  let sum = 0;
  for (let offset = 0; offset < TAR_BLOCK; offset++) sum += block[offset] ?? 0;
  block.write(`${sum.toString(8).padStart(6, "0")}\u{0} `, 148, "latin1");
  return block;
}

function octal(block: Buffer, offset: number, width: number, value: number): void {
  const digits = value.toString(8);
  if (value < 0 || digits.length > width - 1)
    throw new BackroomError("E_INTERNAL", "a number does not fit its tar field");
  block.write(digits.padStart(width - 1, "0"), offset, "latin1");
}

/** The length counts itself, so adding a digit can make it longer. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
