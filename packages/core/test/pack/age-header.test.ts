import assert from "node:assert/strict";
import { test } from "node:test";
import { generateHybridIdentity } from "age-encryption";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { createAgeHeader, openAgeHeader, type AgeKeys, type AgeLock } from "../../src/pack/age-header.ts";
import { generateIdentity, recipientOf } from "../../src/pack/age-keys.ts";
import { MemorySource } from "../support/memory-source.ts";

const alice = generateIdentity(systemRandom);
const bob = generateIdentity(systemRandom);
const keysOf = (...identities: string[]): AgeKeys => ({ identities });
const refuses = (code: ErrorCode) => (error: unknown) => isBackroomError(error, code);

async function opens(lock: AgeLock, keys: AgeKeys): Promise<void> {
  const made = await createAgeHeader(lock, systemRandom);
  const opened = await openAgeHeader(new MemorySource(Buffer.concat([made.bytes, Buffer.alloc(9000)])), keys);
  assert.ok(opened.bytes.equals(made.bytes), "the body does not start where it was put");
  assert.ok(opened.streamKey.equals(made.streamKey), "the body's key is another one");
}

test("every recipient opens, of either kind, and so does the password", async () => {
  const hybrid = await generateHybridIdentity();
  await opens({ recipients: [alice.recipient] }, keysOf(alice.identity));
  await opens({ recipients: [alice.recipient, bob.recipient] }, keysOf(bob.identity));
  await opens({ recipients: [alice.recipient] }, keysOf(hybrid, bob.identity, alice.identity));
  await opens({ recipients: [await recipientOf(hybrid)] }, keysOf(hybrid));
  await opens({ password: "correct horse", scryptLogN: 10 }, { password: "correct horse" });
});

test("thirty-two post-quantum recipients fit the header that is read", async () => {
  const hybrid = await generateHybridIdentity();
  const recipients = Array<string>(LIMITS.ageRecipients).fill(await recipientOf(hybrid));
  await opens({ recipients }, keysOf(hybrid));
});

test("a key or password that does not fit is told apart from damage, and the advice says which kind fits", async () => {
  const byKey = (await createAgeHeader({ recipients: [alice.recipient] }, systemRandom)).bytes;
  const byPassword = (await createAgeHeader({ password: "right", scryptLogN: 10 }, systemRandom)).bytes;
  const fixes: string[] = [];
  for (const [bytes, keys] of [
    [byKey, keysOf(bob.identity)],
    [byKey, { password: "right" }],
    [byPassword, keysOf(alice.identity)],
    [byPassword, { password: "wrong" }],
  ] as const) {
    await assert.rejects(openAgeHeader(new MemorySource(bytes), keys), (error) => {
      assert.ok(isBackroomError(error, "E_NO_KEY"));
      fixes.push(error.fix);
      return true;
    });
  }
  assert.deepEqual(
    fixes.map((fix) => fix.includes("password")),
    [false, false, true, true],
  );
});

test("two headers share nothing: file key, nonce and body key are fresh", async () => {
  const [one, two] = await Promise.all(
    [1, 2].map(() => createAgeHeader({ recipients: [alice.recipient] }, systemRandom)),
  );
  assert.ok(one !== undefined && two !== undefined);
  assert.ok(!one.streamKey.equals(two.streamKey));
  assert.ok(!one.bytes.subarray(-16).equals(two.bytes.subarray(-16)));
});

test("recipients that are none, mistyped, of two kinds or too many are refused before anything is sealed", async () => {
  const hybrid = await recipientOf(await generateHybridIdentity());
  const mistyped = alice.recipient.slice(0, -1) + (alice.recipient.endsWith("q") ? "p" : "q");
  const lists = [
    [],
    [mistyped],
    [alice.identity],
    ["ssh-ed25519 AAAA"],
    [alice.recipient, hybrid],
    Array<string>(LIMITS.ageRecipients + 1).fill(alice.recipient),
  ];
  for (const recipients of lists) {
    await assert.rejects(createAgeHeader({ recipients }, systemRandom), refuses("E_RECIPIENT"));
  }
});

test("a header without end is given up after the bound, however long the file is", async () => {
  const endless = new MemorySource(
    Buffer.concat([Buffer.from("age-encryption.org/v1\n"), Buffer.alloc(1_000_000, "-> a\n")]),
  );
  await assert.rejects(openAgeHeader(endless, keysOf(alice.identity)), refuses("E_AGE_HEADER"));
  assert.ok(endless.reads.every(({ offset, length }) => offset + length <= LIMITS.ageHeaderBytes));
});

test("a work factor above ours is refused without the work", async () => {
  const { bytes } = await createAgeHeader({ password: "right", scryptLogN: 10 }, systemRandom);
  const forged = Buffer.from(
    bytes.toString("latin1").replace(" 10\n", ` ${LIMITS.ageScryptLogN + 1}\n`),
    "latin1",
  );
  const started = performance.now();
  await assert.rejects(
    openAgeHeader(new MemorySource(forged), { password: "right" }),
    refuses("E_AGE_HEADER"),
  );
  assert.ok(performance.now() - started < 200);
});

test("more stanzas than a pack may have are refused before any key is tried on them", async () => {
  const { bytes } = await createAgeHeader({ recipients: [alice.recipient] }, systemRandom);
  const text = bytes.toString("latin1");
  const stanza = text.slice(text.indexOf("->"), text.indexOf("---"));
  const forged = Buffer.from(text.replace("---", `${stanza.repeat(2 * LIMITS.ageRecipients)}---`), "latin1");
  await assert.rejects(
    openAgeHeader(new MemorySource(forged), keysOf(bob.identity)),
    refuses("E_AGE_HEADER"),
  );
});
