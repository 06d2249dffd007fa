import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

/**
 * A pack's password can be guessed offline by everybody who stores it, at about 2^17 guesses a second for somebody who rents 25 TB of
 * memory (age's scrypt takes 256 MiB and a second each). At 40 bits that lasts three months on all of it.
 */
const MIN_BITS = 40;

/** Raises E_WEAK_PASSWORD where `password` could be guessed, or is too long to be one. */
export function checkPassword(password: string): void {
  if (Buffer.byteLength(password) > LIMITS.passwordBytes) {
    throw new BackroomError("E_WEAK_PASSWORD", "the password is too long", {
      why: `a password has at most ${LIMITS.passwordBytes} bytes`,
      fix: "use a shorter password, or seal to age recipients",
    });
  }
  if (passwordBits(password) < MIN_BITS)
    throw new BackroomError("E_WEAK_PASSWORD", "the password is too weak");
}

/**
 * A low estimate of how many bits a guesser has to go through who knows how people make passwords: words, with a capital or a digit
 * somewhere, years, dates, runs on the keyboard, the same thing twice. It has no dictionary, so it takes every run of letters for a word.
 */
export function passwordBits(password: string): number {
  const period = shortestPeriod(password);
  const repeats = password.length === 0 ? 1 : password.length / period.length;
  const seen = new Set<string>();
  let bits = Math.log2(repeats);
  for (const [run] of period.matchAll(/\p{L}+|\p{N}+|[^\p{L}\p{N}]+/gu)) {
    const known = run.toLowerCase();
    bits += seen.has(known) ? 1 : runBits(run);
    seen.add(known);
  }
  return bits;
}

function runBits(run: string): number {
  const length = surprises(run.toLowerCase());
  if (/^\p{N}/u.test(run)) return digitBits(run, length);
  if (!/^\p{L}/u.test(run)) return length * 4;
  // One or two letters between digits and signs are no word.
  if (length < 3) return length * Math.log2(26) + caseChanges(run);
  // Ideographs and syllables carry a word or half of one each.
  const perLetter = /^[⺀-\u{3FFFF}]/u.test(run) ? 6 : 2;
  return Math.max(10, length * perLetter) + caseChanges(run);
}

function digitBits(run: string, length: number): number {
  if (/^(19|20)\d\d$/.test(run)) return 7;
  const bits = length * Math.log2(10);
  // A birthday, in whatever order it is written.
  return run.length === 6 || run.length === 8 ? Math.min(bits, 15) : bits;
}

/** A capital at the front is the first thing that is tried; elsewhere each change is worth a bit. */
function caseChanges(run: string): number {
  let changes = 0;
  for (let at = 2; at < run.length; at++) {
    const isUpper = (text: string | undefined): boolean => text !== text?.toLowerCase();
    if (isUpper(run[at]) !== isUpper(run[at - 1])) changes++;
  }
  return changes;
}

const ROWS = [
  "abcdefghijklmnopqrstuvwxyz",
  "qwertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "qwertzuiop",
  "1234567890",
  "!@#$%^&*()",
];

/** Length of `run` less the letters that follow from the two before: repeats and walks along the alphabet or a row of keys. */
function surprises(run: string): number {
  const letters = [...run];
  return letters.filter((letter, at) => {
    const [first, second] = [letters[at - 2], letters[at - 1]];
    if (first === undefined || second === undefined) return true;
    return !(first === second && second === letter) && !isWalk(first + second + letter);
  }).length;
}

function isWalk(three: string): boolean {
  const backwards = [...three].reverse().join("");
  return ROWS.some((row) => row.includes(three) || row.includes(backwards));
}

/** The shortest text of which `text` is a whole number of repetitions: found where it first lies in itself, doubled. */
function shortestPeriod(text: string): string {
  return text.slice(0, (text + text).indexOf(text, 1));
}
