import { decodeBencode, type BencodedDict, type BencodedValue } from "../base/bencode.ts";
import { BackroomError, type ErrorCode } from "../base/errors.ts";

/**
 * Typed reads out of a decoded dictionary that a stranger sent. Each raises `code` for a field that is missing or of
 * another type, length or range, so what follows works with values that it can trust to be of their form.
 */
export function readDict(
  bytes: Uint8Array,
  keys: { readonly required: string; readonly optional: string },
  code: ErrorCode,
): BencodedDict {
  const dict = decodeBencode(bytes);
  if (!(dict instanceof Map)) throw new BackroomError(code, "a message is no dictionary");
  for (const key of keys.required) {
    if (!dict.has(key)) throw new BackroomError(code, "a message lacks a field");
  }
  for (const key of dict.keys()) {
    // One-letter keys: longer ones cannot be in the lists.
    if (key.length !== 1 || !(keys.required + keys.optional).includes(key)) {
      throw new BackroomError(code, "a message has a field that the protocol does not know");
    }
  }
  return dict;
}

/** An integer from 0 to `max`. */
export function readInteger(dict: BencodedDict, key: string, max: number, code: ErrorCode): number {
  const value = dict.get(key);
  if (typeof value !== "number" || value < 0 || value > max) throw wrong(code);
  return value;
}

/** A byte string of exactly `length`. */
export function readBytes(dict: BencodedDict, key: string, length: number, code: ErrorCode): Buffer {
  const value = dict.get(key);
  if (!Buffer.isBuffer(value) || value.length !== length) throw wrong(code);
  return value;
}

/** A list of at most `max` items. */
export function readList(dict: BencodedDict, key: string, max: number, code: ErrorCode): BencodedValue[] {
  const value = dict.get(key);
  if (!Array.isArray(value) || value.length > max) throw wrong(code);
  return value;
}

function wrong(code: ErrorCode): BackroomError {
  return new BackroomError(code, "a field of a message has a wrong type, length or range");
}
