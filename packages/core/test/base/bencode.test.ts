import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBencode, encodeBencode, type Bencoded } from "../../src/base/bencode.ts";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { decoderSuite } from "../support/decoder-suite.ts";

decoderSuite({
  name: "bencode",
  decode: decodeBencode,
  encode: encodeBencode,
  samples: ["d1:ai-7e1:bl0:3:xyzd0:leeee", "i0e", "4:spam", "le", "de", "d1:\u00ffi1ee"].map((text) =>
    Buffer.from(text, "latin1"),
  ),
});

const anyBencoded = fc.letrec<{ value: Bencoded }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.maxSafeInteger(),
    fc.uint8Array({ maxLength: 40 }).map((bytes): Bencoded => Buffer.from(bytes)),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: "binary-ascii", maxLength: 6 }), tie("value"), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).value;

test("whatever we encode decodes to what encodes to the same bytes", () => {
  fc.assert(
    fc.property(anyBencoded, (value) => {
      const bytes = encodeBencode(value);
      assert.deepEqual(encodeBencode(decodeBencode(bytes)), bytes);
    }),
  );
});

// Two encodings of one value would let a signature be moved between them.
for (const [why, text] of [
  ["leading zero", "i03e"],
  ["negative zero", "i-0e"],
  ["plus sign", "i+1e"],
  ["beyond 2^53", "i9007199254740993e"],
  ["empty integer", "ie"],
  ["unsorted keys", "d1:bi1e1:ai1ee"],
  ["repeated key", "d1:ai1e1:ai1ee"],
  ["integer key", "di1ei1ee"],
  ["length with leading zero", "01:a"],
  ["length beyond the end", "5:abc"],
  ["negative length", "-1:a"],
  ["trailing bytes", "i1ei2e"],
  ["nothing", ""],
] as const) {
  test(`refused: ${why}`, () => {
    assert.throws(
      () => decodeBencode(Buffer.from(text)),
      (error) => isBackroomError(error, "E_BENCODE"),
    );
  });
}

test("nesting is bounded before the stack is", () => {
  const deep = Buffer.from("l".repeat(100_000) + "e".repeat(100_000));
  assert.throws(() => decodeBencode(deep), /nests too deeply/);
  const edge = "l".repeat(LIMITS.bencodeDepth + 1) + "e".repeat(LIMITS.bencodeDepth + 1);
  assert.doesNotThrow(() => decodeBencode(Buffer.from(edge)));
});

/** Would catch: an integer with two encodings, or one that is read as another: what is signed is what was encoded. */
test("integers are read as JavaScript reads them, and in one form only", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0012345678999-"), maxLength: 19 });
  const edges = fc.constantFrom("9007199254740991", "-9007199254740991", "9007199254740992", "-0", "", "-");
  fc.assert(
    fc.property(fc.oneof(digits, edges), (text) => {
      const fits = /^(0|-?[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(Number(text));
      const bytes = Buffer.from(`i${text}e`);
      if (fits) assert.equal(decodeBencode(bytes), Number(text));
      else
        assert.throws(
          () => decodeBencode(bytes),
          (error) => isBackroomError(error, "E_BENCODE"),
        );
    }),
    { numRuns: 500 },
  );
});

test("a text that is longer than any of ours is refused unread", () => {
  const fits = encodeBencode(Buffer.alloc(LIMITS.bencodeBytes - 8));
  assert.equal(fits.length, LIMITS.bencodeBytes);
  assert.ok(Buffer.isBuffer(decodeBencode(fits)));
  assert.throws(() => decodeBencode(encodeBencode(Buffer.alloc(LIMITS.bencodeBytes - 7))), {
    code: "E_BENCODE",
  });
});
