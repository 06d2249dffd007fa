import { BackroomError } from "./errors.ts";
import { asBuffer } from "./bytes.ts";
import { LIMITS } from "./limits.ts";

/**
 * Canonical bencode (BEP 3): sorted unique keys, no leading zeros, no trailing bytes. One value has one encoding,
 * so what was signed can be checked by encoding it again. Keys are read as latin1, so they hold any bytes.
 */
export type Bencoded = number | Uint8Array | Bencoded[] | { readonly [key: string]: Bencoded };
/** What decoding gives: byte strings are Buffers over the input's memory, integers are safe. */
export type BencodedValue = number | Buffer | BencodedValue[] | BencodedDict;
export type BencodedDict = Map<string, BencodedValue>;

/** Keys are latin1, in the order of their bytes. Raises E_BENCODE for a number that is no safe integer. */
export function encodeBencode(value: Bencoded | BencodedValue): Buffer {
  const parts: Uint8Array[] = [];
  append(value, parts);
  return Buffer.concat(parts);
}

function append(value: Bencoded | BencodedValue, parts: Uint8Array[]): void {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new BackroomError("E_BENCODE", "an integer is out of range");
    parts.push(Buffer.from(`i${value}e`, "latin1"));
  } else if (value instanceof Uint8Array) {
    parts.push(Buffer.from(`${value.length}:`, "latin1"), value);
  } else if (Array.isArray(value)) {
    parts.push(Buffer.from("l"));
    for (const item of value) append(item, parts);
    parts.push(Buffer.from("e"));
  } else {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    const keyed = entries.map(([key, item]) => ({ key: Buffer.from(key, "latin1"), item }));
    keyed.sort((a, b) => Buffer.compare(a.key, b.key));
    parts.push(Buffer.from("d"));
    for (const { key, item } of keyed) {
      append(key, parts);
      append(item, parts);
    }
    parts.push(Buffer.from("e"));
  }
}

/**
 * Decodes one value that fills `bytes` exactly. Raises E_BENCODE for anything else, within the bounds of LIMITS.
 * Keys in "any" order (still unique) are for DHT packets only: real nodes send them, and nobody signs those.
 */
export function decodeBencode(bytes: Uint8Array, order: "sorted" | "any" = "sorted"): BencodedValue {
  if (bytes.length > LIMITS.bencodeBytes) throw new BackroomError("E_BENCODE", "the message is too long");
  const decoder = new Decoder(asBuffer(bytes), order === "sorted");
  const value = decoder.value(0);
  if (decoder.offset !== bytes.length) throw new BackroomError("E_BENCODE", "bytes follow the value");
  return value;
}

/** Of the largest safe integer. */
const MOST_DIGITS = 16;

class Decoder {
  offset = 0;
  readonly #bytes: Buffer;
  readonly #sorted: boolean;

  constructor(bytes: Buffer, sorted: boolean) {
    this.#bytes = bytes;
    this.#sorted = sorted;
  }

  value(depth: number): BencodedValue {
    if (depth > LIMITS.bencodeDepth) throw new BackroomError("E_BENCODE", "the message nests too deeply");
    const lead = this.#bytes[this.offset];
    if (lead === 0x69) {
      this.offset++;
      return this.#integerUntil(0x65);
    }
    if (lead === 0x6c) return this.#list(depth);
    if (lead === 0x64) return this.#dict(depth);
    return this.#string();
  }

  #list(depth: number): BencodedValue[] {
    this.offset++;
    const items: BencodedValue[] = [];
    while (!this.#atEnd()) items.push(this.value(depth + 1));
    return items;
  }

  #dict(depth: number): BencodedDict {
    this.offset++;
    const dict: BencodedDict = new Map();
    let previous: Buffer | undefined;
    while (!this.#atEnd()) {
      const key = this.#string();
      const name = key.toString("latin1");
      const rises = previous === undefined || Buffer.compare(previous, key) < 0;
      if ((this.#sorted && !rises) || dict.has(name)) {
        throw new BackroomError("E_BENCODE", "dictionary keys are not sorted and unique");
      }
      previous = key;
      dict.set(name, this.value(depth + 1));
    }
    return dict;
  }

  /** Consumes the closing `e` and returns true, or returns false with nothing consumed. */
  #atEnd(): boolean {
    if (this.#bytes[this.offset] !== 0x65) return false;
    this.offset++;
    return true;
  }

  #string(): Buffer {
    const length = this.#integerUntil(0x3a);
    if (length < 0 || length > this.#bytes.length - this.offset) {
      throw new BackroomError("E_BENCODE", "a string is longer than what follows");
    }
    const value = this.#bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return value;
  }

  /** Digit by digit: strangers send thousands in a message, and a slice and a pattern for each cost twenty times as much. */
  #integerUntil(terminator: number): number {
    const isNegative = this.#bytes[this.offset] === 0x2d;
    const start = this.offset + (isNegative ? 1 : 0);
    let at = start;
    let value = 0;
    for (let digit = this.#digit(at); digit >= 0 && at - start < MOST_DIGITS; digit = this.#digit(++at)) {
      value = value * 10 + digit;
    }
    const leadsWithZero = this.#bytes[start] === 0x30 && (isNegative || at - start > 1);
    if (at === start || leadsWithZero || this.#bytes[at] !== terminator || !Number.isSafeInteger(value)) {
      throw new BackroomError("E_BENCODE", "an integer is missing, malformed or out of range");
    }
    this.offset = at + 1;
    return isNegative ? -value : value;
  }

  /** Its value, or -1 for anything else. */
  #digit(at: number): number {
    const byte = this.#bytes[at] ?? 0;
    return byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -1;
  }
}
