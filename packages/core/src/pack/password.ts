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
 * somewhere, signs for letters, years, dates, runs on the keyboard, the same thing twice. It has no dictionary: what is put together like
 * words is taken for words, common ones.
 */
export function passwordBits(password: string): number {
  const plain = password.replace(DISGUISED, (sign) => DISGUISES[sign] ?? sign);
  const spellings = [password, plain, password.toLowerCase(), plain.toLowerCase()];
  return Math.min(...spellings.map((spelling) => spelledBits(spelling) + differences(spelling, password)));
}

/** A bit for each letter that is written otherwise, but not for the first: a capital there is what everybody does. */
function differences(spelling: string, password: string): number {
  return [...password].filter((letter, at) => at > 0 && letter !== spelling[at]).length;
}

/** Signs that stand for a letter, where letters are on both sides. */
const DISGUISED = /(?<=\p{L})[@4301$57!](?=\p{L})/gu;
const DISGUISES: Readonly<Record<string, string>> = {
  "@": "a",
  4: "a",
  3: "e",
  0: "o",
  1: "i",
  "!": "i",
  $: "s",
  5: "s",
  7: "t",
};

/** Words (a capital starts another one), numbers, signs. */
const RUNS = /\p{Lu}*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|\p{Lu}+|\p{N}+|[^\p{L}\p{N}]+/gu;

function spelledBits(password: string): number {
  const period = shortestPeriod(password);
  const repeats = period === "" ? 1 : password.length / period.length;
  const seen = new Set<string>();
  let bits = Math.log2(repeats);
  for (const [run] of period.matchAll(RUNS)) {
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
  if (length < 3) return length * Math.log2(26);
  if (isRandom(run)) return length * 4;
  // Ideographs and syllables carry a word or half of one each.
  const perLetter = /^[⺀-\u{3FFFF}]/u.test(run) ? 6 : 2;
  return Math.max(10, length * perLetter);
}

function digitBits(run: string, length: number): number {
  if (/^(19|20)\d\d$/.test(run)) return 7;
  const bits = length * Math.log2(10);
  // A birthday, in whatever order it is written.
  return run.length === 6 || run.length === 8 ? Math.min(bits, 15) : bits;
}

/** Pairs of letters that make up three quarters of English, and more than half of its neighbours; of random letters, a seventh. */
const PAIRS = new Set(
  (
    "th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng of al de se le sa si ar ve ra ld ur " +
    "ro ri io ne me li co ll be ma la el ic ch om us un ce ca so no lo wa wo ho il pa po em ie ei sc ge rd ss ee oo tt ot mo " +
    "do ba bo tr pe pr ag am ad da fo ta na ni rs ns ck ow ay ke ki sh"
  ).split(" "),
);

/** True for Latin letters that are not put together as in words: at most one pair in four is a common one. */
function isRandom(run: string): boolean {
  const letters = run.toLowerCase();
  if (!/^[a-z]+$/.test(letters)) return false;
  const common = Array.from({ length: letters.length - 1 }, (_, at) => letters.slice(at, at + 2)).filter(
    (pair) => PAIRS.has(pair),
  );
  return common.length * 4 <= letters.length - 1;
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
