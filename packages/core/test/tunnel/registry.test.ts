import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBencode, encodeBencode, type BencodedDict } from "../../src/base/bencode.ts";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { Registry } from "../../src/tunnel/registry.ts";
import { deriveEpoch } from "../../src/tunnel/topic.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { HOUR_MS, newCircuit, newRegistration, newShare, NOW_MS, type TestRegistration } from "./fixtures.ts";

const gateKey = generateKeys("ed25519").publicBytes;
const full = (error: unknown) => isBackroomError(error, "E_GATE");
const bad = (error: unknown) => isBackroomError(error, "E_LEASE");

function newGate() {
  const clock = new ManualClock();
  const announced: string[] = [];
  const announcer = {
    announce: (hash: Buffer) => void announced.push(`+${hash.toString("hex")}`),
    withdraw: (hash: Buffer) => void announced.push(`-${hash.toString("hex")}`),
  };
  const registry = new Registry({ nodeKey: gateKey, clock, random: systemRandom, announcer });
  return { registry, clock, announced };
}

const question = (options: Omit<TestRegistration, "gateKey">) => newRegistration({ gateKey, ...options });

test("the DHT is told once a topic has a place, and once it has none any more", async () => {
  const { registry, announced } = newGate();
  const share = newShare();
  const hash = deriveEpoch(share, 20_000).topicHash.toString("hex");
  const first = registry.register(await question({ share, by: "sharer" }), newCircuit(), undefined);
  const second = registry.register(await question({ share, by: "work" }), newCircuit(), undefined);
  assert.deepEqual(announced, [`+${hash}`]);
  registry.withdraw(first);
  registry.withdraw(first);
  assert.deepEqual(announced, [`+${hash}`]);
  registry.withdraw(second);
  assert.deepEqual(announced, [`+${hash}`, `-${hash}`]);
  assert.equal(registry.size, 0);
});

test("a lease is served until it is over, unless it was renewed; then the DHT forgets it too", async () => {
  const { registry, clock, announced } = newGate();
  const share = newShare();
  const { topic } = deriveEpoch(share, 20_000);
  const circuit = newCircuit();
  const tag = systemRandom.bytes(16);
  const place = registry.register(await question({ share, by: "sharer", tag }), circuit, undefined);
  assert.equal(registry.leasesOf(topic).length, 1);
  clock.advance(HOUR_MS / 2);
  const renewal = await question({ share, by: "sharer", tag, expiryMs: NOW_MS + 2 * HOUR_MS });
  assert.equal(registry.register(renewal, circuit, place), place);
  assert.equal(registry.size, 1);
  clock.advance(HOUR_MS);
  assert.equal(registry.leasesOf(topic).length, 1, "the renewal did not count");
  assert.ok(registry.placeOf(tag));
  clock.advance(HOUR_MS / 2);
  assert.deepEqual(registry.leasesOf(topic), []);
  assert.equal(registry.placeOf(tag), undefined);
  clock.advance(60_000);
  assert.equal(registry.size, 0);
  assert.equal(announced.length, 2);
  assert.equal(clock.timerCount, 0);
});

test("no lease stays longer than two hours, whatever was asked; one that is over already is refused", async () => {
  const { registry } = newGate();
  const share = newShare();
  const long = await question({ share, by: "sharer", expiryMs: NOW_MS + 100 * HOUR_MS });
  assert.equal(registry.register(long, newCircuit(), undefined).expiresMs, NOW_MS + 2 * HOUR_MS);
  const over = await question({ share, by: "sharer", expiryMs: NOW_MS });
  assert.throws(() => registry.register(over, newCircuit(), undefined), bad);
});

test("strangers with a public link fill their own quota and no more: the sharer still gets in, and comes first", async () => {
  const { registry } = newGate();
  const share = newShare();
  const { topic } = deriveEpoch(share, 20_000);
  for (let i = 0; i < LIMITS.gateOtherLeases; i++) {
    registry.register(await question({ share, by: "work" }), newCircuit(), undefined);
  }
  const oneMore = await question({ share, by: "work" });
  assert.throws(() => registry.register(oneMore, newCircuit(), undefined), full);
  const own = registry.register(await question({ share, by: "sharer" }), newCircuit(), undefined);
  const served = registry.leasesOf(topic);
  assert.equal(served.length, LIMITS.gateLeasesAnswered);
  assert.deepEqual(served[0], own.sealedLease);
  // The others take turns: not always the same seven.
  const seen = new Set<string>();
  for (let i = 0; i < 200; i++) for (const lease of registry.leasesOf(topic)) seen.add(lease.toString("hex"));
  assert.equal(seen.size, 1 + LIMITS.gateOtherLeases);
  for (let i = 1; i < LIMITS.gateSharerLeases; i++) {
    registry.register(await question({ share, by: "sharer" }), newCircuit(), undefined);
  }
  const fifth = await question({ share, by: "sharer" });
  assert.throws(() => registry.register(fifth, newCircuit(), undefined), full);
});

test("one circuit holds one place a topic, and a bounded number of topics", async () => {
  const { registry } = newGate();
  const share = newShare();
  const circuit = newCircuit();
  registry.register(await question({ share, by: "sharer" }), circuit, undefined);
  const again = await question({ share, by: "work" });
  assert.throws(() => registry.register(again, circuit, undefined), full);
  const more = await Promise.all(
    Array.from({ length: LIMITS.gateRegistrationsPerCircuit }, () =>
      question({ share: newShare(), by: "sharer" }),
    ),
  );
  const last = more.pop() as Buffer;
  for (const one of more) registry.register(one, circuit, undefined);
  assert.throws(() => registry.register(last, circuit, undefined), full);
  registry.register(last, newCircuit(), undefined);
});

test("a tag in use is refused, so nobody can take over another seeder's tunnels", async () => {
  const { registry } = newGate();
  const tag = systemRandom.bytes(16);
  const mine = registry.register(
    await question({ share: newShare(), by: "sharer", tag }),
    newCircuit(),
    undefined,
  );
  const thief = await question({ share: newShare(), by: "sharer", tag });
  assert.throws(() => registry.register(thief, newCircuit(), undefined), full);
  assert.equal(registry.placeOf(tag), mine);
});

test("a renewal is for the same topic, tag and standing", async () => {
  const { registry } = newGate();
  const share = newShare();
  const tag = systemRandom.bytes(16);
  const circuit = newCircuit();
  const held = registry.register(await question({ share, by: "sharer", tag }), circuit, undefined);
  const keys = deriveEpoch(share, 20_001);
  for (const other of [
    await question({ share, by: "sharer" }),
    await question({ share, by: "work", tag }),
    await question({ share, by: "sharer", tag, keys }),
  ]) {
    assert.throws(() => registry.register(other, circuit, held), bad);
  }
});

test("a place whose circuit is gone is neither served nor connected to", async () => {
  const { registry, clock } = newGate();
  const share = newShare();
  const circuit = newCircuit();
  const tag = systemRandom.bytes(16);
  registry.register(await question({ share, by: "sharer", tag }), circuit, undefined);
  circuit.alive = false;
  assert.deepEqual(registry.leasesOf(deriveEpoch(share, 20_000).topic), []);
  assert.equal(registry.placeOf(tag), undefined);
  clock.advance(60_000);
  assert.equal(registry.size, 0);
});

test("closing withdraws every announcement", async () => {
  const { registry, announced, clock } = newGate();
  for (let i = 0; i < 3; i++) {
    registry.register(await question({ share: newShare(), by: "sharer" }), newCircuit(), undefined);
  }
  registry.close();
  assert.equal(announced.filter((line) => line.startsWith("-")).length, 3);
  assert.equal(clock.timerCount, 0);
});

/** Would catch: some 16 circuits full of made-up topics, for which no work is needed, that keep everybody else out of a gate. */
test("whoever fills a gate with made-up topics gives way to others, and loses the streams", async () => {
  const { registry, announced, clock } = newGate();
  const evicted: number[] = [];
  const first = newCircuit();
  let circuit = first;
  const share = newShare();
  for (let count = 0; count < LIMITS.gateTopics; count++) {
    if (count > 0 && count % LIMITS.gateRegistrationsPerCircuit === 0) circuit = newCircuit();
    const keys = deriveEpoch(share, 30_000 + count);
    const place = registry.register(await question({ share, by: "sharer", keys }), circuit, undefined);
    place.onEvicted = () => evicted.push(count);
  }
  clock.advance(5000);
  const forged = decodeBencode(await question({ share: newShare(), by: "sharer" })) as BencodedDict;
  forged.set("s", Buffer.alloc(64));
  assert.throws(() => registry.register(encodeBencode(forged), newCircuit(), undefined), bad);
  assert.deepEqual(evicted, [], "somebody without a signature took a place");
  const honest = newCircuit();
  for (let count = 0; count < 3; count++) {
    registry.register(await question({ share: newShare(), by: "sharer" }), honest, undefined);
  }
  assert.deepEqual([evicted.length, registry.size], [3, LIMITS.gateTopics]);
  assert.equal(announced.filter((line) => line.startsWith("-")).length, 3);
  // Who would have as many as anybody takes from nobody: the first circuit just lost one.
  const greedy = await question({ share: newShare(), by: "sharer" });
  assert.throws(() => registry.register(greedy, first, undefined), full);
});

/** Would catch: signatures without number that a gate checks for one circuit. */
test("a circuit that asks without end is refused unread", async () => {
  const { registry, clock } = newGate();
  const circuit = newCircuit();
  const broken = Buffer.from("de");
  for (let count = 0; count < LIMITS.gateQuestionBurst; count++) {
    assert.throws(() => registry.register(broken, circuit, undefined), bad);
  }
  const good = await question({ share: newShare(), by: "sharer" });
  assert.throws(() => registry.register(good, circuit, undefined), full);
  registry.register(good, newCircuit(), undefined);
  clock.advance(1000);
  assert.throws(() => registry.register(broken, circuit, undefined), bad);
});

/** Would catch: circuits without number that keep a gate busy with questions, each within its own bound. */
test("all circuits together ask so much and no more", () => {
  const { registry, clock } = newGate();
  const broken = Buffer.from("de");
  const ask = () => registry.register(broken, newCircuit(), undefined);
  for (let count = 0; count < LIMITS.gateAllQuestionBurst; count++) assert.throws(ask, bad);
  assert.throws(ask, full);
  clock.advance(100);
  for (let count = 0; count < LIMITS.gateAllQuestionsPerSecond / 10; count++) assert.throws(ask, bad);
  assert.throws(ask, full);
});

/** Would catch: a gate whose memory grows with few topics that have many leases each. */
test("a gate holds so many registrations in all; then the circuit that holds most gives way", async () => {
  const { registry, clock } = newGate();
  const share = newShare();
  const perTopic = LIMITS.gateSharerLeases;
  let circuits = Array.from({ length: perTopic }, () => newCircuit());
  for (let count = 0; count < LIMITS.gateRegistrations; count++) {
    const topic = Math.floor(count / perTopic);
    if (count % (perTopic * LIMITS.gateRegistrationsPerCircuit) === 0) {
      circuits = circuits.map(() => newCircuit());
      clock.advance(1_000);
    }
    const keys = deriveEpoch(share, 40_000 + topic);
    const circuit = circuits[count % perTopic] as (typeof circuits)[0];
    registry.register(await question({ share, by: "sharer", keys }), circuit, undefined);
  }
  assert.equal(registry.size, LIMITS.gateRegistrations);
  clock.advance(1_000);
  registry.register(await question({ share: newShare(), by: "sharer" }), newCircuit(), undefined);
  assert.equal(registry.size, LIMITS.gateRegistrations);
});
