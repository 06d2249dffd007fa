import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { padmeLength } from "../../src/pack/padme.ts";
import { planPadding } from "../../src/pack/padding.ts";

test("lengths worked out by hand from the definition", () => {
  // 9 = 0b1001: exponent 3 has 2 bits, so 1 bit is cleared upwards; 1,000,000: exponent 19 has 5 bits, so multiples of 2^14.
  const known: [number, number][] = [
    [0, 0],
    [1, 1],
    [2, 2],
    [8, 8],
    [9, 10],
    [100, 104],
    [1_000_000, 62 * 16384],
  ];
  for (const [length, padded] of known) assert.equal(padmeLength(length), padded, `of ${length}`);
});

test("a padded length is no shorter, at most 12 % longer, and its own padded length, also beyond 32 bits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 2 ** 48 }), (length) => {
      const padded = padmeLength(length);
      assert.ok(padded >= length && padded <= length * 1.12 + 1);
      assert.equal(padmeLength(padded), padded);
    }),
  );
});

test("just below a power of two the logarithm's rounding does not give a wrong exponent", () => {
  for (let power = 30; power <= 48; power++) assert.equal(padmeLength(2 ** power - 1), 2 ** power);
});

test("padding frames and their table entries bring any length exactly to a padded one, and none is too short or too long", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 30, max: 2 ** 46 }),
      fc.constantFrom(2 ** 30, 2 ** 20),
      (length, maxFrame) => {
        fc.pre(length < maxFrame * 2000);
        const frames = planPadding(length, maxFrame);
        const total = frames.reduce((sum, frame) => sum + frame + 8, length);
        assert.equal(padmeLength(total), total);
        assert.ok(
          frames.every((frame) => frame >= 8 && frame <= maxFrame),
          String(frames),
        );
      },
    ),
    { numRuns: 1000 },
  );
});
