import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBase32, encodeBase32 } from "../../src/base/base32.ts";
import { ByteReader, u16be, u32be, u48be, u64be } from "../../src/base/bytes.ts";
import { isBackroomError } from "../../src/base/errors.ts";
import { belowFrom, shuffled, systemRandom } from "../../src/base/random.ts";

test("base32 agrees with the vectors of RFC 4648, section 10", () => {
  const vectors = {
    "": "",
    f: "my",
    fo: "mzxq",
    foo: "mzxw6",
    foob: "mzxw6yq",
    fooba: "mzxw6ytb",
    foobar: "mzxw6ytboi",
  };
  for (const [plain, text] of Object.entries(vectors)) {
    assert.equal(encodeBase32(Buffer.from(plain)), text);
    assert.equal(decodeBase32(text.toUpperCase()).toString(), plain);
  }
});

test("base32 round-trips, and one value has one text", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      assert.deepEqual(decodeBase32(encodeBase32(bytes)), Buffer.from(bytes));
    }),
  );
  for (const text of ["m", "mz1", "mzxx", "mzx", "my=", "m y"]) {
    assert.throws(
      () => decodeBase32(text),
      (error) => isBackroomError(error, "E_DECODE"),
      text,
    );
  }
});

test("a reader never gives bytes that are not there", () => {
  const bytes = Buffer.concat([
    Buffer.from([7]),
    u16be(0xffff),
    u32be(0xffff_ffff),
    u48be(2 ** 48 - 1),
    u64be(5),
  ]);
  const reader = new ByteReader(bytes);
  assert.deepEqual(
    [reader.u8(), reader.u16(), reader.u32(), reader.u48()],
    [7, 0xffff, 0xffff_ffff, 2 ** 48 - 1],
  );
  assert.throws(() => reader.end(), /goes on/);
  assert.throws(() => reader.take(9), /too early/);
  assert.deepEqual(reader.take(8), u64be(5));
  reader.end();
});

test("numbers below a bound are uniform: the uneven top of the range is drawn again", () => {
  const draws = [u32be(0xffff_ffff), u32be(5)];
  assert.equal(belowFrom({ bytes: () => draws.shift() ?? Buffer.alloc(4) }, 3), 2);
  assert.equal(draws.length, 0);
});

test("a shuffle keeps every element", () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), (items) => {
      const order = (a: number, b: number): number => a - b;
      assert.deepEqual(shuffled(items, systemRandom).toSorted(order), items.toSorted(order));
    }),
  );
});
