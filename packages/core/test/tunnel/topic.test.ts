import assert from "node:assert/strict";
import { createHash, hkdfSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { deriveEpoch, epochsAt } from "../../src/tunnel/topic.ts";

const HOUR_MS = 3_600_000;
const secret = Buffer.alloc(32, 7);
const fingerprint = Buffer.alloc(16, 9);
const derive = (salt: Buffer, info: string, length = 32): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, salt, info, length));

test("the keys of an epoch are those of PROTOCOL 8 (a changed label or salt would split the network)", () => {
  const keys = deriveEpoch({ topicSecret: secret, sharerFingerprint: fingerprint }, 20_454);
  const salt = Buffer.from("0000000000004fe6", "hex");
  const mark = derive(salt, "backroom sharer mark v1");
  const commitment = createHash("sha256").update(fingerprint).update(mark).digest();
  const topic = createHash("sha256").update(keys.topicKeys.publicBytes).update(commitment).digest();
  assert.deepEqual(keys.mark, mark);
  assert.deepEqual(keys.commitment, commitment);
  assert.deepEqual(keys.topic, topic);
  assert.deepEqual(keys.topicHash, topic.subarray(0, 20));
  assert.deepEqual(keys.sealingKey.export(), derive(salt, "backroom lease seal v1"));
  assert.deepEqual(keys.tunnelPsk, derive(salt, "backroom tunnel psk v1"));
  const seed = keys.topicKeys.privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  assert.deepEqual(seed, derive(salt, "backroom topic key v1"));
});

test("every value changes with the epoch, so two days cannot be linked by them", () => {
  const share = { topicSecret: secret, sharerFingerprint: fingerprint };
  const [a, b] = [deriveEpoch(share, 1), deriveEpoch(share, 2)];
  for (const name of ["mark", "commitment", "topic", "topicHash", "tunnelPsk"] as const) {
    assert.notDeepEqual(a[name], b[name], name);
  }
  assert.notDeepEqual(a.topicKeys.publicBytes, b.topicKeys.publicBytes);
});

test("one epoch is in force, two within an hour of the turn, and the turn is where the offset puts it", () => {
  const offset = derive(Buffer.alloc(0), "backroom epoch offset v1", 4).readUInt32BE(0) % 86_400;
  const turnMs = (20_000 * 86_400 - offset) * 1000;
  assert.deepEqual(epochsAt(secret, turnMs - HOUR_MS - 1000), [19_999]);
  assert.deepEqual(epochsAt(secret, turnMs - HOUR_MS), [19_999, 20_000]);
  assert.deepEqual(epochsAt(secret, turnMs), [19_999, 20_000]);
  assert.deepEqual(epochsAt(secret, turnMs + HOUR_MS - 1), [19_999, 20_000]);
  assert.deepEqual(epochsAt(secret, turnMs + HOUR_MS), [20_000]);
  assert.deepEqual(epochsAt(secret, turnMs + 12 * HOUR_MS), [20_000]);
});

test("two clocks up to two hours apart always have an epoch in common", () => {
  const time = fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 });
  const both = fc.tuple(fc.uint8Array({ minLength: 32, maxLength: 32 }), time, fc.nat(2 * HOUR_MS - 1000));
  fc.assert(
    fc.property(both, ([topicSecret, nowMs, apartMs]) => {
      const later = new Set(epochsAt(topicSecret, nowMs + apartMs));
      assert.ok(epochsAt(topicSecret, nowMs).some((epoch) => later.has(epoch)));
    }),
  );
});
