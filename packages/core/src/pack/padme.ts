import { BackroomError } from "../base/errors.ts";

/**
 * The Padmé length of `length` bytes (PROTOCOL 2.6): rounded up so that only as many leading bits stay free as the exponent has.
 * A length then tells an onlooker O(log log length) bits, for at most 12 % more.
 */
export function padmeLength(length: number): number {
  if (!Number.isSafeInteger(length) || length < 0)
    throw new BackroomError("E_INTERNAL", "a length is out of range");
  if (length < 2) return length;
  const exponent = floorLog2(length);
  // Powers of two, not shifts: lengths pass 32 bits.
  const step = 2 ** Math.max(0, exponent - (floorLog2(exponent) + 1));
  return Math.ceil(length / step) * step;
}

function floorLog2(value: number): number {
  const guess = Math.floor(Math.log2(value));
  // The logarithm of numbers just below a power of two can round up to it.
  return 2 ** guess > value ? guess - 1 : guess;
}
