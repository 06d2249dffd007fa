import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBencode } from "../../src/base/bencode.ts";
import { isBackroomError } from "../../src/base/errors.ts";
import { systemRandom } from "../../src/base/random.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { hasWork, solveWork } from "../../src/tunnel/proof-of-work.ts";
import {
  checkRegistration,
  decodeRegistration,
  registrationFields,
  makeRegistration,
  type Registration,
} from "../../src/tunnel/registration.ts";
import { deriveEpoch } from "../../src/tunnel/topic.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { newRegistration, newShare } from "./fixtures.ts";

const share = newShare();
const keys = deriveEpoch(share, 20_000);
const gateKey = generateKeys("ed25519").publicBytes;
const otherGate = generateKeys("ed25519").publicBytes;
const bySharer = await newRegistration({ share, gateKey, by: "sharer" });
const byWork = await newRegistration({ share, gateKey, by: "work" });

decoderSuite({
  name: "registration",
  decode: decodeRegistration,
  encode: (registration) => encodeBencode(registrationFields(registration)),
  samples: [bySharer, byWork],
});

const refused = (error: unknown) => isBackroomError(error, "E_LEASE");
const check = (change: (registration: Registration) => Registration, encoded = bySharer) =>
  checkRegistration(change(decodeRegistration(encoded)), gateKey);

test("a registration by the sharer and one by work are both for the epoch's topic", () => {
  assert.deepEqual(
    check((same) => same),
    keys.topic,
  );
  assert.deepEqual(
    check((same) => same, byWork),
    keys.topic,
  );
});

test("a registration replayed at another gate is refused, for the gate's key is signed", () => {
  for (const encoded of [bySharer, byWork]) {
    assert.throws(() => checkRegistration(decodeRegistration(encoded), otherGate), refused);
  }
});

test("no signed field can be changed: expiry, tag, lease, commitment, topic key", () => {
  const other = deriveEpoch(newShare(), 20_000);
  const changes: ((registration: Registration) => Registration)[] = [
    (r) => ({ ...r, expirySeconds: r.expirySeconds + 1 }),
    (r) => ({ ...r, tag: systemRandom.bytes(16) }),
    (r) => ({ ...r, sealedLease: Buffer.alloc(2_076) }),
    (r) => ({ ...r, commitment: other.commitment }),
    (r) => ({ ...r, topicKey: other.topicKeys.publicBytes }),
  ];
  for (const change of changes) {
    assert.throws(() => check(change), refused);
    assert.throws(() => check(change, byWork), refused);
  }
});

test("somebody without the link cannot register under its topic, with work or without", () => {
  // Knows A and C (from the gate), not the topic's private key.
  const stranger = {
    ...keys,
    topicKeys: { ...generateKeys("ed25519"), publicBytes: keys.topicKeys.publicBytes },
  };
  const honest = decodeRegistration(byWork);
  const what = { ...honest, gateKey };
  const work = honest.standing.kind === "work" ? honest.standing.work : Buffer.alloc(8);
  assert.throws(() => checkRegistration(makeRegistration(stranger, what, { work }), gateKey), refused);
});

test("a link holder cannot take the sharer's place: neither another key, nor the sharer's key unsigned, fits", () => {
  const what = { ...decodeRegistration(bySharer), gateKey };
  const impostor = generateKeys("ed25519");
  assert.throws(
    () => checkRegistration(makeRegistration(keys, what, { sharerKeys: impostor }), gateKey),
    refused,
  );
  const claimed = { ...impostor, publicBytes: share.sharerKeys.publicBytes };
  assert.throws(
    () => checkRegistration(makeRegistration(keys, what, { sharerKeys: claimed }), gateKey),
    refused,
  );
});

test("a wrong mark is refused", () => {
  const wrong = (r: Registration): Registration =>
    r.standing.kind === "sharer" ? { ...r, standing: { ...r.standing, mark: Buffer.alloc(32) } } : r;
  assert.throws(() => check(wrong), refused);
});

test("proof of work is for one topic and one tag, and all 16 bits of it are looked at", async () => {
  const tag = systemRandom.bytes(16);
  const work = await solveWork(keys.topic, tag);
  assert.ok(hasWork(keys.topic, tag, work));
  assert.ok(!hasWork(keys.topic, tag, Buffer.concat([work, work])));
  let passed = 0;
  for (let i = 0; i < 2_000; i++) if (hasWork(keys.topic, systemRandom.bytes(16), work)) passed++;
  assert.ok(passed <= 2, `${passed} of 2,000 other tags fit the same work`);
  const forged = (r: Registration): Registration => ({
    ...r,
    standing: { kind: "work", work: Buffer.alloc(8, 1) },
  });
  assert.throws(() => check(forged, byWork), refused);
});

test("solving gives way to other work", async () => {
  let turns = 0;
  const spin = setInterval(() => turns++, 0);
  await Promise.all([1, 2, 3].map(() => solveWork(systemRandom.bytes(32), systemRandom.bytes(16))));
  clearInterval(spin);
  assert.ok(turns > 1, "nothing else ran while the work was solved");
});
