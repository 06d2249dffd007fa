import { type ByteReader, u16be } from "../base/bytes.ts";
import { BackroomError, type ErrorCode } from "../base/errors.ts";

/** Tags of links and invites (PROTOCOL 4); one numbering for both. */
export const TAG_NAME = 1;
export const TAG_RELAY = 2;
export const TAG_FILES_BYTES = 3;
export const TAG_BOOTSTRAP = 4;
/** Tags that may occur once; of the others, a format says how many. */
const SINGLE = new Set([TAG_NAME, TAG_FILES_BYTES]);

/** Values by tag, unknown tags included. */
export type Tags = ReadonlyMap<number, readonly Buffer[]>;

/** `u8 tag ‖ u16 length ‖ value` for each, in the order given, which must be rising. */
export function encodeTags(entries: readonly (readonly [tag: number, value: Uint8Array])[]): Buffer {
  return Buffer.concat(entries.flatMap(([tag, value]) => [Buffer.from([tag]), u16be(value.length), value]));
}

/** Reads tags to the end of `reader`. Raises `code` for falling tags and for a second value where there may be one. */
export function decodeTags(reader: ByteReader, code: ErrorCode): Tags {
  const tags = new Map<number, Buffer[]>();
  let previous = 0;
  while (reader.remaining > 0) {
    const tag = reader.u8();
    const value = reader.take(reader.u16());
    if (tag < previous || (tag === previous && SINGLE.has(tag))) {
      throw new BackroomError(code, "the fields are out of order");
    }
    previous = tag;
    tags.set(tag, [...(tags.get(tag) ?? []), value]);
  }
  return tags;
}

/** The values of a tag that may occur up to `most` times. Raises `code` for more. */
export function valuesOf(tags: Tags, tag: number, most: number, code: ErrorCode): readonly Buffer[] {
  const values = tags.get(tag) ?? [];
  if (values.length > most) throw new BackroomError(code, "a field occurs too often");
  return values;
}
