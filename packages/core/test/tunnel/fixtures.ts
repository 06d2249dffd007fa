import { sharerFingerprint as sharerFingerprintOf } from "../../src/link/sharer-key.ts";
import { encodeBencode } from "../../src/base/bencode.ts";
import { systemRandom } from "../../src/base/random.ts";
import { generateKeys, type KeyPair } from "../../src/crypto/keys.ts";
import type { ServedCircuit } from "../../src/circuit/stream.ts";
import { makeLease, sealLease, type Lease, type SeederKeys } from "../../src/tunnel/lease.ts";
import { solveWork } from "../../src/tunnel/proof-of-work.ts";
import { makeRegistration, registrationFields } from "../../src/tunnel/registration.ts";
import { deriveEpoch, epochsAt, type EpochKeys, type ShareTopic } from "../../src/tunnel/topic.ts";

/** Where a ManualClock starts. */
export const NOW_MS = 1_800_000_000_000;
export const HOUR_MS = 3_600_000;

export interface TestShare extends ShareTopic {
  readonly sharerKeys: KeyPair;
}

/** A share whose epoch does not turn within three hours of where clocks start. */
export function newShare(): TestShare {
  return shareWith((share) => {
    const hours = [-3, -2, -1, 0, 1, 2, 3];
    return new Set(hours.flatMap((hour) => epochsAt(share.topicSecret, NOW_MS + hour * HOUR_MS))).size === 1;
  });
}

/** A share whose epoch turns about `untilMs` after where clocks start. */
export function shareTurningIn(untilMs: number): TestShare {
  return shareWith(({ topicSecret }) => {
    const before = epochsAt(topicSecret, NOW_MS + untilMs - 61 * 60_000);
    const after = epochsAt(topicSecret, NOW_MS + untilMs + 61 * 60_000);
    return before.length === 1 && after.length === 1 && before[0] !== after[0];
  });
}

function shareWith(fits: (share: TestShare) => boolean): TestShare {
  const sharerKeys = generateKeys("ed25519");
  const sharerFingerprint = sharerFingerprintOf(sharerKeys.publicBytes);
  for (;;) {
    const share = { sharerKeys, sharerFingerprint, topicSecret: systemRandom.bytes(32) };
    if (fits(share)) return share;
  }
}

export function newSeeder(leaseKeys: KeyPair = generateKeys("ed25519")): SeederKeys {
  return { leaseKeys, tunnelKeys: generateKeys("x25519") };
}

export function newLease(
  keys: EpochKeys,
  seeder: SeederKeys = newSeeder(),
  expiryMs = NOW_MS + 3_600_000,
): Lease {
  const gates = [{ info: Buffer.alloc(300, 1), tag: systemRandom.bytes(16) }];
  return makeLease(keys.topic, seeder, gates, Math.floor(expiryMs / 1000));
}

export interface TestRegistration {
  share: TestShare;
  keys?: EpochKeys;
  gateKey: Buffer;
  by: "sharer" | "work";
  tag?: Buffer;
  expiryMs?: number;
}

/** The encoded question of a seeder to the register service. */
export async function newRegistration(options: TestRegistration): Promise<Buffer> {
  const { share, gateKey, by } = options;
  const keys = options.keys ?? deriveEpoch(share, 20_000);
  const tag = options.tag ?? systemRandom.bytes(16);
  const expiryMs = options.expiryMs ?? NOW_MS + 3_600_000;
  const sealedLease = sealLease(keys, newLease(keys), systemRandom);
  const what = { gateKey, tag, expirySeconds: Math.floor(expiryMs / 1000), sealedLease };
  const standing =
    by === "sharer" ? { sharerKeys: share.sharerKeys } : { work: await solveWork(keys.topic, tag) };
  return encodeBencode(registrationFields(makeRegistration(keys, what, standing)));
}

let circuits = 0;

/** A served circuit for bookkeeping tests: no stream can be opened on it. */
export function newCircuit(): ServedCircuit & { alive: boolean } {
  return {
    id: ++circuits,
    alive: true,
    openStream: () => {
      throw new Error("this circuit opens no streams");
    },
    onDestroyed: () => {},
  };
}
