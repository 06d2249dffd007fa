import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeBencode } from "../../src/base/bencode.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { decodeExtensionHandshake, encodeExtensionHandshake } from "../../src/swarm/extension-handshake.ts";
import {
  decodeLeases,
  encodeLeases,
  LeaseExchange,
  LEASES_EXTENSION,
  LEASES_ID,
  type LeasePool,
  type OfferedLease,
} from "../../src/swarm/lease-exchange.ts";
import { SEALED_LEASE_BYTES } from "../../src/tunnel/lease.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { connect, memberOf, samplePack, storeOf } from "./fixtures.ts";
import { RawPeer, settle } from "./raw-peer.ts";

const pack = samplePack(256 * 1024);
const LIMIT = { timeout: 20_000 };
const GARBAGE = Buffer.alloc(SEALED_LEASE_BYTES, 0xee);

/** A sealed lease of a made-up form that `memoryPool` opens: the seeder's number and the expiry in front. */
function sealedOf(seeder: number, expirySeconds = 1000): Buffer {
  const sealed = Buffer.alloc(SEALED_LEASE_BYTES);
  sealed.writeUInt32BE(seeder, 0);
  sealed.writeUInt32BE(expirySeconds, 4);
  return sealed;
}

function nameIn(sealed: Buffer): { seeder: string; expirySeconds: number } | undefined {
  if (sealed.equals(GARBAGE)) return undefined;
  return { seeder: String(sealed.readUInt32BE(0)), expirySeconds: sealed.readUInt32BE(4) };
}

function memoryPool(...seeders: number[]) {
  const taken: string[] = [];
  const offered: OfferedLease[] = [];
  const add = (seeder: number, more: { expirySeconds?: number; isOwn?: boolean } = {}): void => {
    const { expirySeconds = 1000, isOwn = false } = more;
    const sealed = sealedOf(seeder, expirySeconds);
    offered.push({ seeder: String(seeder), expirySeconds, sealed, isOwn });
  };
  for (const seeder of seeders) add(seeder);
  const pool: LeasePool = {
    take: (sealed) => {
      const name = nameIn(sealed);
      taken.push(name?.seeder ?? "garbage");
      return name;
    },
    offer: () => offered,
  };
  return { pool, taken, offered, add };
}

function exchangeOf(pool: LeasePool, more: { isInitiator?: boolean; seeder?: string } = {}) {
  const clock = new ManualClock();
  const { isInitiator = false, seeder } = more;
  const exchange = new LeaseExchange(pool, { clock, isInitiator, seeder });
  /** The seeders in the next message. */
  const next = (afterMs = 0): string[] | undefined => {
    clock.advance(afterMs);
    const payload = exchange.next(clock.monotonicMs());
    return payload && decodeLeases(payload).map((sealed) => nameIn(sealed)?.seeder ?? "?");
  };
  return { clock, exchange, next };
}

const MINUTE_MS = LIMITS.peerLeasesEveryMs;
const samples = [[1], [1, 2, 3], [1, 2, 3, 4, 5, 6, 7]].map((seeders) =>
  encodeLeases(seeders.map((seeder) => sealedOf(seeder))),
);

decoderSuite({
  name: "leases from a peer",
  decode: decodeLeases,
  encode: encodeLeases,
  samples,
  validPrefix: (length) => length > 0 && length % SEALED_LEASE_BYTES === 0,
});

decoderSuite({
  name: "extension handshake",
  decode: (bytes) => decodeExtensionHandshake(bytes, "refuse"),
  encode: ({ leasesId }) => encodeExtensionHandshake(leasesId !== undefined),
  samples: [encodeExtensionHandshake(true), encodeExtensionHandshake(false)],
});

test("no message is empty, or longer than a record holds", () => {
  assert.throws(() => decodeLeases(Buffer.alloc(0)), { code: "E_WIRE" });
  const most = LIMITS.peerLeasesPerMessage;
  assert.throws(() => decodeLeases(Buffer.alloc((most + 1) * SEALED_LEASE_BYTES)), { code: "E_WIRE" });
  // 6 bytes of head; a record says at most 16,286 (PROTOCOL 9).
  assert.ok(most * SEALED_LEASE_BYTES + 6 <= 16_286);
});

test("the handshake says whether leases are taken; ids out of range are refused, 0 means no", () => {
  const read = (id: number) =>
    decodeExtensionHandshake(encodeBencode({ m: { [LEASES_EXTENSION]: id } }), "refuse").leasesId;
  assert.equal(read(1), 1);
  assert.equal(read(255), 255);
  assert.equal(read(0), undefined);
  for (const id of [-1, 256]) assert.throws(() => read(id), { code: "E_WIRE" });
  const own = decodeExtensionHandshake(encodeExtensionHandshake(true), "refuse");
  assert.deepEqual(own, { requestQueue: LIMITS.peerQueuedRequests, leasesId: LEASES_ID });
});

test("leases go out a few at a time, a minute apart, each once, and again when they were renewed", () => {
  const { pool, add } = memoryPool(...Array.from({ length: 9 }, (_, seeder) => seeder));
  const { next } = exchangeOf(pool);
  assert.equal(next()?.length, LIMITS.peerLeasesPerMessage);
  assert.equal(next(MINUTE_MS - 1), undefined, "too soon");
  assert.deepEqual(next(1), ["7", "8"]);
  assert.equal(next(MINUTE_MS), undefined, "said twice");
  add(3, { expirySeconds: 2000 });
  assert.deepEqual(next(MINUTE_MS), ["3"]);
});

test("news is told within seconds where nothing was to be said before", () => {
  const { pool, add } = memoryPool();
  const { next } = exchangeOf(pool);
  assert.equal(next(), undefined);
  add(1);
  assert.deepEqual(next(5_000), ["1"]);
});

test("nobody is told of itself, or of what it said", () => {
  const { pool } = memoryPool(1, 2, 3);
  const { exchange, next } = exchangeOf(pool, { isInitiator: true, seeder: "1" });
  exchange.receive(encodeLeases([sealedOf(2)]));
  assert.deepEqual(next(), ["3"]);
});

test("our own lease is told to those who called us, not to those whom we call", () => {
  for (const isInitiator of [true, false]) {
    const { pool, add } = memoryPool(5);
    add(9, { isOwn: true });
    const { next } = exchangeOf(pool, { isInitiator });
    assert.deepEqual(next(), isInitiator ? ["5"] : ["5", "9"]);
  }
});

test("whatever is said and heard: nothing comes back to whom it came from, nothing comes twice, and little is remembered", () => {
  const step = fc.oneof(
    fc.record({ hear: fc.array(fc.nat(300), { minLength: 1, maxLength: 7 }) }),
    fc.record({ learn: fc.nat(300) }),
    fc.record({ wait: fc.constantFrom(1_000, 30_000, MINUTE_MS) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { pool, add } = memoryPool();
      const { exchange, next, clock } = exchangeOf(pool);
      const heard = new Set<string>();
      const said = new Set<string>();
      let saidMs = -Infinity;
      for (const one of steps) {
        if ("learn" in one) add(one.learn);
        if ("hear" in one) {
          clock.advance(LIMITS.peerLeasesRefillMs);
          exchange.receive(encodeLeases(one.hear.map((seeder) => sealedOf(seeder))));
          for (const seeder of one.hear) heard.add(String(seeder));
        }
        const names = next("wait" in one ? one.wait : 0) ?? [];
        if (names.length > 0) {
          assert.ok(clock.monotonicMs() - saidMs >= MINUTE_MS);
          saidMs = clock.monotonicMs();
        }
        for (const name of new Set(names)) {
          // Beyond what is remembered something may come again.
          if (heard.size + said.size >= LIMITS.peerLeasesRemembered) return;
          assert.ok(!heard.has(name), "told its own words");
          assert.ok(!said.has(name), "told twice");
          said.add(name);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("a flood of messages is refused after a burst, and a steady trickle is not", () => {
  const { pool, taken } = memoryPool();
  const { exchange, clock } = exchangeOf(pool);
  const message = encodeLeases([sealedOf(1)]);
  for (let count = 0; count < LIMITS.peerLeasesBurst; count++) exchange.receive(message);
  assert.throws(() => exchange.receive(message), { code: "E_PEER_FLOOD" });
  assert.equal(taken.length, LIMITS.peerLeasesBurst);
  for (let count = 0; count < 100; count++) {
    clock.advance(LIMITS.peerLeasesRefillMs);
    exchange.receive(message);
  }
});

test("some leases that do not open are passed over, too many are refused", () => {
  const { pool, taken } = memoryPool();
  const { exchange, clock } = exchangeOf(pool);
  for (let count = 0; count < LIMITS.peerBadLeases / 2; count++) {
    clock.advance(LIMITS.peerLeasesRefillMs);
    exchange.receive(encodeLeases([GARBAGE, sealedOf(count), GARBAGE]));
  }
  clock.advance(LIMITS.peerLeasesRefillMs);
  assert.throws(() => exchange.receive(encodeLeases([GARBAGE])), { code: "E_PEER_FLOOD" });
  assert.equal(taken.filter((name) => name === "garbage").length, LIMITS.peerBadLeases + 1);
});

test(
  "two members exchange leases as soon as they are connected, and what they learn later",
  LIMIT,
  async () => {
    const clock = new ManualClock();
    const [near, far] = [memoryPool(1), memoryPool(2)];
    near.add(100, { isOwn: true });
    far.add(200, { isOwn: true });
    const seeder = memberOf(await storeOf(pack), { clock, leases: far.pool });
    const other = memberOf(await storeOf(pack, (piece) => piece === 0), { clock, leases: near.pool });
    connect(other, seeder);
    await settle();
    assert.deepEqual([near.taken.toSorted(), far.taken], [["2", "200"], ["1"]]);
    seeder.swarm.close();
    other.swarm.close();
  },
);

test(
  "who does not offer to take leases is sent none, and without a pool none are offered",
  LIMIT,
  async () => {
    const clock = new ManualClock();
    const { pool } = memoryPool(1);
    const seeder = memberOf(await storeOf(pack), { clock, leases: pool });
    const mute = new RawPeer(seeder, pack).handshake().extended({ m: {} });
    const eager = new RawPeer(seeder, pack)
      .handshake(Buffer.alloc(20, 8))
      .extended({ m: { [LEASES_EXTENSION]: 77 } });
    for (let second = 0; second < 10; second++) {
      clock.advance(1_000);
      await settle(2);
    }
    const messages = (peer: RawPeer) =>
      peer.heard.flatMap((message) => (message.type === "extended" && message.id !== 0 ? message.id : []));
    assert.deepEqual(messages(mute), []);
    assert.deepEqual(messages(eager), [77], "the id is the receiver's choice");
    seeder.swarm.close();
  },
);

/** What makes a member that takes leases drop a peer. */
const OFFENCES: readonly [what: string, code: string, payloads: readonly Buffer[]][] = [
  ["a message that holds no lease", "E_WIRE", [Buffer.alloc(0)]],
  ["a lease cut short", "E_WIRE", [sealedOf(1).subarray(1)]],
  [
    "garbage in the form of leases",
    "E_PEER_FLOOD",
    [1, 2, 3].map(() => encodeLeases(Array(7).fill(GARBAGE))),
  ],
  ["leases without end", "E_PEER_FLOOD", [1, 2, 3, 4, 5].map((seeder) => sealedOf(seeder))],
];

for (const [what, code, payloads] of OFFENCES) {
  test(`a peer that sends ${what} is dropped with ${code}`, LIMIT, async () => {
    const member = memberOf(await storeOf(pack), { leases: memoryPool().pool });
    const peer = new RawPeer(member, pack).handshake().extended({ m: { [LEASES_EXTENSION]: 1 } });
    for (const payload of payloads) peer.say({ type: "extended", id: LEASES_ID, payload });
    await settle();
    assert.deepEqual(member.dropped, [code]);
    assert.ok(peer.closed);
    member.swarm.close();
  });
}

test("whoever does not read is sent no leases that would pile up", LIMIT, async () => {
  const clock = new ManualClock();
  const { pool, add } = memoryPool(1);
  const seeder = memberOf(await storeOf(pack), { clock, leases: pool });
  const peer = new RawPeer(seeder, pack).handshake().extended({ m: { [LEASES_EXTENSION]: 1 } });
  await settle();
  peer.duplex.pause();
  const request = { type: "request", begin: 0, length: 16_384 } as const;
  peer.say({ type: "haveNone" }, { type: "interested" });
  for (let piece = 0; piece < 100; piece++) peer.say({ ...request, piece: piece % pack.info.pieceCount });
  await settle();
  for (let minute = 0; minute < 3; minute++) {
    add(minute + 10);
    clock.advance(MINUTE_MS);
    await settle(4);
  }
  const before = peer.heard.filter(({ type }) => type === "extended").length;
  peer.duplex.resume();
  await settle();
  assert.equal(peer.heard.filter(({ type }) => type === "extended").length, before);
  clock.advance(1_000);
  await settle();
  const last = peer.heard.findLast((message) => message.type === "extended");
  assert.equal(last?.payload.length, 3 * SEALED_LEASE_BYTES, "what waited goes in one message");
  seeder.swarm.close();
});
