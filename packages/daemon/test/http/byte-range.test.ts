import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rangeOf } from "../../src/http/byte-range.ts";

test("whatever is asked for, what is given lies inside of the file, and is not empty", () => {
  const number = fc.oneof(fc.nat(), fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.constant(""));
  const header = fc.oneof(
    fc.tuple(number, number).map(([first, last]) => `bytes=${first}-${last}`),
    fc.string(),
  );
  fc.assert(
    fc.property(header, fc.nat({ max: 1000 }), (text, size) => {
      const range = rangeOf(text, size);
      if (range === undefined || range === "unsatisfiable") return;
      assert.ok(0 <= range.start && range.start < range.end && range.end <= size, JSON.stringify(range));
    }),
  );
});

test("a good range of a file is that range", () => {
  fc.assert(
    fc.property(fc.nat({ max: 1000 }), fc.nat({ max: 1000 }), (first, more) => {
      const size = first + more + 1;
      assert.deepEqual(rangeOf(`bytes=${first}-${first + more}`, size), { start: first, end: size });
      assert.deepEqual(rangeOf(`bytes=-${more + 1}`, size), { start: first, end: size });
      assert.equal(rangeOf(`bytes=${size}-`, size), "unsatisfiable");
    }),
  );
});
