import type { Clock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import { generateKeys, type KeyPair } from "../../src/crypto/keys.ts";
import type { ServedCircuit } from "../../src/circuit/stream.ts";
import { makeLease, sealLease, type Lease, type SeederKeys } from "../../src/tunnel/lease.ts";
import { solveWork } from "../../src/tunnel/proof-of-work.ts";
import { encodeRegistration, makeRegistration } from "../../src/tunnel/registration.ts";
import { deriveEpoch, fingerprintOf, type EpochKeys, type ShareTopic } from "../../src/tunnel/topic.ts";

/** 2026-01-01 12:00 UTC. */
export const NOW_MS = Date.UTC(2026, 0, 1, 12);

/** A clock that stands still until a test moves it; what is due then runs in order. */
export class TestClock implements Clock {
  #now = NOW_MS;
  #timers: { at: number; run: () => void }[] = [];

  nowMs(): number {
    return this.#now;
  }
  monotonicMs(): number {
    return this.#now - NOW_MS;
  }
  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  get timerCount(): number {
    return this.#timers.length;
  }
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [due] = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = due.at;
      due.run();
    }
    this.#now = end;
  }
}

export interface TestShare extends ShareTopic {
  readonly sharerKeys: KeyPair;
}

export function newShare(): TestShare {
  const sharerKeys = generateKeys("ed25519");
  const sharerFingerprint = fingerprintOf(sharerKeys.publicBytes);
  return { sharerKeys, sharerFingerprint, topicSecret: systemRandom.bytes(32) };
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
  return encodeRegistration(makeRegistration(keys, what, standing));
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
