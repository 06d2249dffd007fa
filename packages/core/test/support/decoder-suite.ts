import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";

/** What every decoder of untrusted bytes owes: see `decoderSuite`. */
export interface DecoderCase<T> {
  readonly name: string;
  /** Decodes bytes that fill the buffer exactly, or raises a BackroomError and nothing else. */
  readonly decode: (bytes: Buffer) => T;
  /** Encodings that decode. Each is also cut short at every length, and damaged. */
  readonly samples: readonly Buffer[];
  /** Encodes again; absent where a format has no unique encoding. */
  readonly encode?: (value: T) => Uint8Array;
  /** Lengths at which a truncated sample is valid all the same (formats that end anywhere). */
  readonly validPrefix?: (length: number, sample: Buffer) => boolean;
  readonly runs?: number;
}

/**
 * Samples round-trip; every truncation is refused; random bytes and damaged samples raise the project's own error
 * or decode, in bounded time. A decoder that reads out of bounds, loops, or leaks a TypeError fails here.
 */
export function decoderSuite<T>(suite: DecoderCase<T>): void {
  const attempt = (bytes: Buffer): boolean => {
    const started = performance.now();
    try {
      suite.decode(bytes);
      return true;
    } catch (error) {
      assert.ok(isBackroomError(error), `raised ${String(error)} instead of a BackroomError`);
      return false;
    } finally {
      assert.ok(performance.now() - started < 2000, "decoding took unboundedly long");
    }
  };

  test(`${suite.name}: samples decode and encode back to the same bytes`, () => {
    assert.ok(suite.samples.length > 0);
    for (const sample of suite.samples) {
      const value = suite.decode(sample);
      if (suite.encode !== undefined) assert.deepEqual(Buffer.from(suite.encode(value)), sample);
    }
  });

  test(`${suite.name}: every truncation is refused`, () => {
    for (const sample of suite.samples) {
      for (let length = 0; length < sample.length; length++) {
        if (suite.validPrefix?.(length, sample) === true) continue;
        assert.equal(attempt(Buffer.from(sample.subarray(0, length))), false, `cut at ${length} decoded`);
      }
    }
  });

  test(`${suite.name}: random and damaged bytes raise nothing but our own error`, () => {
    const numRuns = suite.runs ?? 500;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => void attempt(Buffer.from(bytes))),
      { numRuns },
    );
    const damage = fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(damage, ([which, where, mask]) => {
        const sample = Buffer.from(suite.samples[which % suite.samples.length] as Buffer);
        const at = where % sample.length;
        sample[at] = (sample[at] as number) ^ mask;
        attempt(sample);
      }),
      { numRuns },
    );
  });
}
