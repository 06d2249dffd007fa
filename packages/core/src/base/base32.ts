import { BackroomError, type ErrorCode } from "./errors.ts";

/** RFC 4648 base32, lowercase, without padding: the text form of links, invites and keys. */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, value]));

/** Eight letters for each five bytes, lowercase and without padding; spare bits are zero. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >>> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) text += ALPHABET[(held << (5 - bits)) & 31];
  return text;
}

/** Canonical only: wrong letters, impossible lengths and non-zero spare bits raise `code`. Upper case is accepted. */
export function decodeBase32(text: string, code: ErrorCode = "E_DECODE"): Buffer {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const letter of text.toLowerCase()) {
    const value = VALUES.get(letter);
    if (value === undefined) throw new BackroomError(code, "a letter is not of the base32 alphabet");
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >>> bits) & 255);
    }
    held &= (1 << bits) - 1;
  }
  if (bits >= 5 || held !== 0) throw new BackroomError(code, "the base32 text does not end where it should");
  return Buffer.from(bytes);
}
