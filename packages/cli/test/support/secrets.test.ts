import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { encodeBase32 } from "@backroom/core/base/base32.ts";
import { addressSecret, bytesSecret, portSecret, secretsIn, textSecret } from "./secrets.ts";

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((one) => Buffer.from(one));

/** Would catch: a way to write a key down that the search of the logs does not know. */
test("bytes are found however a program writes them, also shortened, and inside of something else", () => {
  fc.assert(
    fc.property(bytes(32), bytes(5), fc.nat(4), (key, other, before) => {
      const secret = bytesSecret("key", key);
      const inside = Buffer.concat([other.subarray(0, before), key, other]);
      const spellings = [
        key.toString("hex"),
        key.toString("hex").toUpperCase(),
        `${key.toString("hex").slice(0, 8)}…`,
        encodeBase32(key),
        key.toString("base64"),
        key.toString("base64url"),
        inside.toString("hex"),
        inside.toString("base64"),
        inside.toString("base64url"),
        JSON.stringify({ key }),
        inspect(key),
        inspect(new Uint8Array(key)).replaceAll(/\s+/g, " "),
        String(new Uint8Array(key)),
        (key.toString("hex").match(/../g) ?? []).join(":"),
      ];
      for (const spelling of spellings) {
        assert.equal(secretsIn(`{"event":"x ${spelling}"}`, [secret]).length, 1, spelling);
      }
      assert.deepEqual(secretsIn(JSON.stringify({ key: Buffer.alloc(32, 1).toString("hex") }), [secret]), []);
    }),
    { numRuns: 50 },
  );
});

test("addresses and ports are found by themselves and not within longer numbers; names as they are and encoded", () => {
  const found = (text: string, ...secrets: ReturnType<typeof portSecret>[]): number =>
    secretsIn(text, secrets).length;
  for (const text of ["to 10.0.0.7", '"10.0.0.7:443"', "::ffff:10.0.0.7", "0a000007", "[10,0,0,7]"]) {
    assert.equal(found(text, addressSecret("10.0.0.7")), 1, text);
  }
  for (const text of ["10.0.0.77", "110.0.0.7", "10.0.0.7.1"])
    assert.equal(found(text, addressSecret("10.0.0.7")), 0, text);
  for (const text of ["[fd00::7]:443", "fd00:0000:0000:0000:0000:0000:0000:0007", "FD00::7"]) {
    assert.equal(found(text, addressSecret("fd00::7")), 1, text);
  }
  assert.equal(found('"port":40123}', portSecret(40_123)), 1);
  for (const text of ['"Bytes":401234', '"Bytes":140123', "40123.5"])
    assert.equal(found(text, portSecret(40_123)), 0, text);
  const name = textSecret("name", "réponse.txt");
  for (const text of [
    "/tmp/réponse.txt",
    "RÉPONSE.TXT",
    Buffer.from("/x/réponse.txt").toString("base64"),
    Buffer.from("réponse.txt").toString("hex"),
  ]) {
    assert.equal(found(text, name), 1, text);
  }
});
