import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { belowFrom, systemRandom } from "../../src/base/random.ts";
import { checkPassword, passwordBits } from "../../src/pack/password.ts";

const WEAK = [
  "",
  "password",
  "Password1!",
  "P4$$w0rd!2024",
  "l3tm31npl3as3",
  "P@ssw0rd2024",
  "Summer2024!",
  "qwertyuiopasdfghjkl",
  "1q2w3e4r",
  "abcdefghijklmnopqrstuvwxyz0123456789",
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "abcabcabcabcabcabcabcabcabcabc",
  "monkey monkey monkey monkey monkey",
  "19840523",
  "01.02.1984",
  "iloveyou123",
  "Liverpool1892!",
  "letmeinplease",
  "passwordpasswordpassword",
  "correct horse",
  "123456789012345678",
  "!@#$%^&*()_+",
];
const STRONG = [
  "correct horse battery staple",
  "vorgarten-lampe-dienstag-quitte",
  "x7fk2m9qbt4z",
  "hT9#kq!2Lw0z",
  "Tr4umfänger küsst 7 blaue Laternen",
  "山の上の赤い猫が歌う",
];

test("passwords that guessers try early are refused, and what the advice asks for is taken", () => {
  for (const password of WEAK) {
    assert.throws(
      () => checkPassword(password),
      (error) => isBackroomError(error, "E_WEAK_PASSWORD"),
      password,
    );
  }
  for (const password of STRONG) assert.doesNotThrow(() => checkPassword(password), password);
});

test("the estimate is never above what random letters and digits hold", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789"), maxLength: 40 }),
      (text) => {
        assert.ok(passwordBits(text) <= text.length * Math.log2(36) + 1, text);
      },
    ),
  );
});

test("sixteen random letters and digits pass nearly always, as the advice promises", () => {
  const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  let passed = 0;
  for (let n = 0; n < 500; n++) {
    const text = Array.from({ length: 16 }, () => alphabet[belowFrom(systemRandom, alphabet.length)]).join(
      "",
    );
    if (passwordBits(text) >= 40) passed++;
  }
  assert.ok(passed > 440, `${passed} of 500`);
});

test("an endless password is refused, not hashed", () => {
  const long = Array.from({ length: LIMITS.passwordBytes }, (_, n) =>
    String.fromCodePoint(97 + ((n * n) % 26)),
  ).join("");
  assert.doesNotThrow(() => checkPassword(long));
  assert.throws(
    () => checkPassword(`${long}x`),
    (error) => isBackroomError(error, "E_WEAK_PASSWORD"),
  );
});
