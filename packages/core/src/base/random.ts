import { randomFillSync } from "node:crypto";

/** Randomness as protocol code sees it: passed in, so that tests can repeat a run. */
export interface Random {
  /** `length` fresh bytes that nobody can predict. */
  bytes(length: number): Buffer;
  /** A uniform integer in [0, bound), bound between 1 and 2^32. */
  below(bound: number): number;
}

export const systemRandom: Random = {
  bytes: (length) => randomFillSync(Buffer.allocUnsafeSlow(length)),
  below: (bound) => belowFrom(systemRandom, bound),
};

/** Rejection sampling over `random.bytes`, so no value is likelier than another. */
export function belowFrom(random: Pick<Random, "bytes">, bound: number): number {
  const ceiling = Math.floor(0x1_0000_0000 / bound) * bound;
  for (;;) {
    const value = random.bytes(4).readUInt32BE(0);
    if (value < ceiling) return value % bound;
  }
}

/** A new array with the elements of `items` in random order (Fisher-Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    const held = result[last] as T;
    result[last] = result[other] as T;
    result[other] = held;
  }
  return result;
}
