import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBencode } from "../../src/base/bencode.ts";
import { isBackroomError } from "../../src/base/errors.ts";
import { systemRandom } from "../../src/base/random.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import {
  decodeLease,
  encodeLease,
  isSharersLease,
  makeLease,
  openLease,
  SEALED_LEASE_BYTES,
  sealLease,
} from "../../src/tunnel/lease.ts";
import { deriveEpoch } from "../../src/tunnel/topic.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { newLease, newSeeder, newShare, NOW_MS } from "./fixtures.ts";

const share = newShare();
const keys = deriveEpoch(share, 20_000);
const otherEpoch = deriveEpoch(share, 20_001);
const code = (expected: string) => (error: unknown) => isBackroomError(error) && error.code === expected;
const gate = (length = 400) => ({ info: Buffer.alloc(length, 3), tag: systemRandom.bytes(16) });
const largest = makeLease(keys.topic, newSeeder(), [gate(), gate(), gate()], 2 ** 48 - 1);

decoderSuite({
  name: "lease",
  decode: (bytes) => decodeLease(bytes, keys.topic),
  encode: encodeLease,
  samples: [encodeLease(newLease(keys)), encodeLease(largest)],
});

decoderSuite({
  name: "sealed lease",
  decode: (bytes) => openLease(keys, bytes, NOW_MS),
  samples: [sealLease(keys, newLease(keys), systemRandom)],
  runs: 100,
});

test("every sealed lease has one length, however many gates (a length would tell them apart)", () => {
  assert.equal(SEALED_LEASE_BYTES, 2_076);
  for (const lease of [newLease(keys), largest]) {
    assert.equal(sealLease(keys, lease, systemRandom).length, SEALED_LEASE_BYTES);
  }
});

test("a lease comes out of its seal as it went in; another epoch's or share's keys do not open it", () => {
  const lease = newLease(keys);
  const sealed = sealLease(keys, lease, systemRandom);
  assert.deepEqual(openLease(keys, sealed, NOW_MS), lease);
  assert.throws(() => openLease(otherEpoch, sealed, NOW_MS), code("E_CRYPTO"));
  assert.throws(() => openLease(deriveEpoch(newShare(), 20_000), sealed, NOW_MS), code("E_CRYPTO"));
});

test("a lease signed for another topic is refused (a link holder could else move it between epochs)", () => {
  const foreign = sealLease(keys, newLease(otherEpoch), systemRandom);
  assert.throws(() => openLease(keys, foreign, NOW_MS), code("E_LEASE"));
});

test("a lease that is over, or longer than leases may be, is refused; clocks may differ by a quarter of an hour", () => {
  const openAt = (expiryMs: number) => () =>
    openLease(keys, sealLease(keys, newLease(keys, newSeeder(), expiryMs), systemRandom), NOW_MS);
  assert.throws(openAt(NOW_MS - 15 * 60_000), code("E_LEASE"));
  assert.doesNotThrow(openAt(NOW_MS - 14 * 60_000));
  assert.doesNotThrow(openAt(NOW_MS + 2 * 3_600_000 + 14 * 60_000));
  assert.throws(openAt(NOW_MS + 2 * 3_600_000 + 16 * 60_000), code("E_LEASE"));
});

test("another lease key under a good lease is refused, so nobody can pass for the sharer", () => {
  const lease = newLease(keys);
  const forged = encodeLease({ ...lease, leaseKey: share.sharerKeys.publicBytes });
  assert.throws(() => decodeLease(forged, keys.topic), code("E_LEASE"));
  assert.equal(isSharersLease(lease, share.sharerFingerprint), false);
  const sharers = newLease(keys, newSeeder(share.sharerKeys));
  assert.equal(isSharersLease(sharers, share.sharerFingerprint), true);
});

test("no gate, four gates, a long relay info, and an unknown field are refused", () => {
  const seeder = newSeeder();
  const of = (gates: { info: Buffer; tag: Buffer }[]) =>
    encodeLease(makeLease(keys.topic, seeder, gates, 1_800_000_000));
  for (const gates of [[], [gate(), gate(), gate(), gate()], [gate(401)]]) {
    assert.throws(() => decodeLease(of(gates), keys.topic), code("E_LEASE"));
  }
  const more = encodeBencode({ g: [], k: generateKeys("x25519").publicBytes, z: 1 });
  assert.throws(() => decodeLease(more, keys.topic), code("E_LEASE"));
});
