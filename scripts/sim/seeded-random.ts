import type { Random } from "../../packages/core/src/base/random.ts";
import { sha256 } from "../../packages/core/src/crypto/hash.ts";

/** Randomness that repeats: the same label gives the same numbers, on every machine. Not secret, and never used outside the simulation. */
export interface SeededRandom extends Random {
  /** Uniform in [0, 1). */
  unit(): number;
  /** Exponentially distributed with that mean: time to the next of events that know nothing of each other. */
  exponential(mean: number): number;
  /** Normally distributed. */
  normal(mean: number, deviation: number): number;
  /** Another stream of numbers: what one part draws changes nothing for the others. */
  fork(label: string): SeededRandom;
}

/** sfc32 (PractRand's small fast counter), seeded with SHA-256 of the label. */
export function seededRandom(label: string): SeededRandom {
  const seed = sha256(Buffer.from(label));
  let a = seed.readInt32LE(0);
  let b = seed.readInt32LE(4);
  let c = seed.readInt32LE(8);
  let counter = 1;

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
  for (let warmUp = 0; warmUp < 12; warmUp++) next();

  const random: SeededRandom = {
    bytes(length) {
      const bytes = Buffer.alloc(length);
      let at = 0;
      for (; at + 4 <= length; at += 4) bytes.writeUInt32LE(next(), at);
      for (let rest = next(); at < length; at++, rest >>>= 8) bytes[at] = rest & 255;
      return bytes;
    },
    below(bound) {
      const ceiling = Math.floor(2 ** 32 / bound) * bound;
      for (;;) {
        const value = next();
        if (value < ceiling) return value % bound;
      }
    },
    unit: () => next() / 2 ** 32,
    exponential: (mean) => -mean * Math.log(1 - random.unit()),
    normal: (mean, deviation) =>
      mean + deviation * Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit()),
    fork: (name) => seededRandom(`${label}/${name}`),
  };
  return random;
}

/** One of them. */
export function pickOne<T>(items: readonly T[], random: Random): T {
  return items[random.below(items.length)] as T;
}
