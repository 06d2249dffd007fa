import assert from "node:assert/strict";
import { test } from "node:test";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import {
  formatKeyFile,
  generateIdentity,
  identityFromSecret,
  isIdentity,
  isRecipient,
  parseKeyFile,
  recipientOf,
} from "../../src/pack/age-keys.ts";

const isKeyFileError = (error: unknown): boolean => isBackroomError(error, "E_KEY_FILE");

test("32 bytes give the identity and the recipient that the age package makes of them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async (secret) => {
      const made = identityFromSecret(secret);
      assert.equal(await identityToRecipient(made.identity), made.recipient);
      assert.ok(isIdentity(made.identity) && isRecipient(made.recipient));
    }),
    { numRuns: 20 },
  );
});

test("fixed bytes give the texts that age-keygen takes and gives", () => {
  const { identity, recipient } = identityFromSecret(Buffer.alloc(32, 1));
  assert.equal(identity, "AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZ9K4CN");
  assert.equal(recipient, "age15nsf9y4k28p83wth93tf7hafhvfajp45d2mge80ems45gz0c5gys3me64l");
});

test("any one letter changed makes a key text no key text", () => {
  const { identity, recipient } = generateIdentity(systemRandom);
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(..."QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LB1"), (where, letter) => {
      const change = (text: string, by: string): string => {
        const at = where % text.length;
        return text.slice(0, at) + by + text.slice(at + 1);
      };
      const identityTypo = change(identity, letter);
      assert.equal(isIdentity(identityTypo), identityTypo === identity);
      const recipientTypo = change(recipient, letter.toLowerCase());
      assert.equal(isRecipient(recipientTypo), recipientTypo === recipient);
    }),
  );
});

test("identities are no recipients, recipients no identities, and case is kept to", () => {
  const { identity, recipient } = generateIdentity(systemRandom);
  assert.deepEqual([isRecipient(identity), isIdentity(recipient)], [false, false]);
  assert.deepEqual(
    [isRecipient(recipient.toUpperCase()), isIdentity(identity.toLowerCase())],
    [false, false],
  );
});

test("a key file reads back what was written, with comments, empty lines and Windows line ends", async () => {
  const { identity, recipient } = generateIdentity(systemRandom);
  const hybrid = await generateHybridIdentity();
  const text = await formatKeyFile(identity, Date.UTC(2024, 0, 2, 3, 4, 5, 678));
  assert.equal(text, `# created: 2024-01-02T03:04:05Z\n# public key: ${recipient}\n${identity}\n`);
  assert.deepEqual(parseKeyFile(text), [identity]);
  assert.deepEqual(parseKeyFile(`\r\n# two\r\n${identity}\r\n${hybrid}`), [identity, hybrid]);
});

test("what is no key file is refused by line, without showing the line", async () => {
  const { identity, recipient } = generateIdentity(systemRandom);
  const mistyped = identity.slice(0, -1) + (identity.endsWith("Q") ? "P" : "Q");
  for (const text of [
    "",
    "# nothing\n",
    recipient,
    `${identity} `,
    `\n${mistyped}`,
    "-----BEGIN OPENSSH PRIVATE KEY-----",
  ]) {
    assert.throws(
      () => parseKeyFile(text),
      (error) => isKeyFileError(error) && !String(error).includes(mistyped),
    );
  }
  assert.throws(() => parseKeyFile(`# a\n${mistyped}\n`), /line 2/);
  assert.throws(() => parseKeyFile(`${identity}\n`.repeat(LIMITS.ageIdentities + 1)), isKeyFileError);
  assert.throws(() => parseKeyFile("#".repeat(LIMITS.ageKeyFileBytes + 1)), isKeyFileError);
  await assert.rejects(recipientOf(mistyped), isKeyFileError);
});

test("a key file is read whole, so it is bounded", () => {
  const { identity } = identityFromSecret(Buffer.alloc(32, 7));
  const filled = (length: number): string => `${identity}\n#${"x".repeat(length - identity.length - 2)}`;
  assert.deepEqual(parseKeyFile(filled(LIMITS.ageKeyFileBytes)), [identity]);
  assert.throws(() => parseKeyFile(filled(LIMITS.ageKeyFileBytes + 1)), isKeyFileError);
});
