import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { formatLink, lockedLink, topicSecret, type ReadLink, type ShareLink } from "../../src/link/link.ts";
import { DenyList } from "../../src/tunnel/deny-list.ts";
import { Registry } from "../../src/tunnel/registry.ts";
import { deriveEpoch, epochsAt } from "../../src/tunnel/topic.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { HOUR_MS, newCircuit, newRegistration, newShare, NOW_MS } from "./fixtures.ts";

const DAY_MS = 24 * HOUR_MS;

function newLink(): ReadLink {
  const random = (): Buffer => systemRandom.bytes(32);
  return {
    kind: "read",
    networkId: 7,
    piecesRoot: random(),
    packLength: 1000,
    sharerFingerprint: systemRandom.bytes(16),
    identity: random(),
    name: "a",
    filesBytes: 1,
    relays: [],
  };
}

function topics(link: ShareLink, nowMs: number): Buffer[] {
  const share = { topicSecret: topicSecret(link), sharerFingerprint: link.sharerFingerprint };
  return epochsAt(share.topicSecret, nowMs).map((epoch) => deriveEpoch(share, epoch).topic);
}

/** Would catch: an entry that counts today only, a locked link that says less than the one it was made from, an epoch's turn that lets a share in. */
test("a link denies its share for good, whichever kind it is", () => {
  const [link, other] = [newLink(), newLink()];
  for (const text of [formatLink(link), formatLink(lockedLink(link))]) {
    const list = DenyList.parse(`# from a letter\n\n${text}  # one\r\n`);
    assert.ok(list.deniesRoot(link.piecesRoot));
    assert.ok(!list.deniesRoot(other.piecesRoot));
    // Steps as a relay takes them, over turns of the epoch, and a clock that goes back in the end.
    for (const atMs of [0, 0.2, 0.5, 1, 3, 3.1, 500, 2].map((days) => NOW_MS + days * DAY_MS)) {
      for (const topic of topics(link, atMs)) assert.ok(list.deniesTopic(topic, atMs), `${atMs - NOW_MS} ms`);
      for (const topic of topics(other, atMs)) assert.ok(!list.deniesTopic(topic, atMs));
    }
  }
});

/** Would catch: digits in capitals that count for nothing, a root that is looked for among topics only. */
test("64 hex digits deny a root or a topic", () => {
  const bytes = systemRandom.bytes(32);
  const list = DenyList.parse(bytes.toString("hex").toUpperCase());
  assert.deepEqual([list.deniesRoot(bytes), list.deniesTopic(bytes, NOW_MS)], [true, true]);
  const other = systemRandom.bytes(32);
  assert.deepEqual([list.deniesRoot(other), list.deniesTopic(other, NOW_MS)], [false, false]);
  assert.equal(DenyList.empty.deniesTopic(bytes, NOW_MS), false);
});

/** Would catch: a mistyped line that is passed over, so that what it names is served; an error that repeats a link. */
test("what is no entry is an error with its line, and nothing of what it says", () => {
  const damaged = formatLink(newLink()).slice(0, -3);
  for (const entry of [damaged, "abc", "g".repeat(64), "a".repeat(63)]) {
    assert.throws(
      () => DenyList.parse(`# remark\n${"a".repeat(64)}\n${entry}\n`),
      (error) =>
        isBackroomError(error, "E_DENY_LIST") &&
        /line 3/.test(error.message) &&
        !String(error).includes(entry),
    );
  }
  const many = Array.from({ length: LIMITS.denyListHashes + 1 }, (_, n) => n.toString(16).padStart(64, "0"));
  const links = Array.from({ length: LIMITS.denyListLinks + 1 }, () => formatLink(newLink()));
  for (const lines of [many, links]) {
    assert.throws(
      () => DenyList.parse(lines.join("\n")),
      (error) => isBackroomError(error, "E_DENY_LIST") && /longer/.test(error.message),
    );
    assert.ok(DenyList.parse(lines.slice(1).join("\n")));
  }
});

test("no text makes it raise anything else", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      try {
        DenyList.parse(text);
      } catch (error) {
        assert.ok(isBackroomError(error, "E_DENY_LIST"));
      }
    }),
  );
});

/** Would catch: a gate that announces in the DHT what its operator denies, or that tells the asker why it refuses. */
test("a gate takes no registration for what is denied, and takes others", async () => {
  const gateKey = generateKeys("ed25519").publicBytes;
  const [denied, other] = [newShare(), newShare()];
  const { topic } = deriveEpoch(denied, 20_000);
  const announced: Buffer[] = [];
  const registry = new Registry({
    nodeKey: gateKey,
    clock: new ManualClock(),
    random: systemRandom,
    announcer: { announce: (hash) => void announced.push(hash), withdraw: () => {} },
    denied: DenyList.parse(topic.toString("hex")),
  });
  const question = await newRegistration({ gateKey, share: denied, by: "sharer" });
  assert.throws(
    () => registry.register(question, newCircuit(), undefined),
    (error) => isBackroomError(error, "E_GATE") && /room/.test(error.message),
  );
  assert.deepEqual([registry.size, announced.length, registry.leasesOf(topic).length], [0, 0, 0]);
  registry.register(await newRegistration({ gateKey, share: other, by: "sharer" }), newCircuit(), undefined);
  assert.equal(registry.size, 1);
});
