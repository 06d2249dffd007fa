import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { ipBytes, ipText } from "../../src/base/ip-address.ts";

test("every address survives bytes to text to bytes, and the text is the one that URL gives", () => {
  // Would catch a wrong "::" (two runs, a run of one) and a dropped leading zero.
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc
      .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
      .map((a) => Uint8Array.from(a)),
  );
  fc.assert(
    fc.property(address, (bytes) => {
      const text = ipText(bytes);
      assert.deepEqual(ipBytes(text), Buffer.from(bytes));
      if (bytes.length === 16) assert.equal(`[${text}]`, new URL(`http://[${text}]/`).hostname);
    }),
    { numRuns: 1000 },
  );
});

test("nothing that Node takes for no address is read as one", () => {
  // Would catch a parser that guesses: octal, short forms, zones and names end up at another host elsewhere.
  const letter = fc.constantFrom(..."0123456789abcdefF:.%g ".split(""));
  fc.assert(
    fc.property(fc.array(letter, { maxLength: 24 }), (letters) => {
      const text = letters.join("");
      if (ipBytes(text) !== undefined) assert.notEqual(isIP(text), 0, text);
    }),
    { numRuns: 3000 },
  );
  const refused = ["", "1.2.3", "01.2.3.4", "1.2.3.256", "1.2.3.4:5", "localhost", ":", ":::", "1::2::3"];
  for (const text of [
    ...refused,
    "fe80::1%eth0",
    "1:2:3:4:5:6:7:8::",
    "1:2:3:4:5:6:7:8:9",
    "1.2.3.4::",
    "::1.2.3",
  ]) {
    assert.equal(ipBytes(text), undefined, text);
  }
});

test("text forms that Node knows are read alike", () => {
  assert.deepEqual(ipBytes("::ffff:1.2.3.4"), Buffer.from("00000000000000000000ffff01020304", "hex"));
  assert.deepEqual(ipBytes("::"), Buffer.alloc(16));
  assert.deepEqual(ipBytes("2001:DB8::1"), Buffer.from("20010db8000000000000000000000001", "hex"));
  assert.deepEqual(ipBytes("1:2:3:4:5:6:7::"), Buffer.from("00010002000300040005000600070000", "hex"));
});
