import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LIMITS } from "../../src/base/limits.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { WireMessage } from "../../src/torrent/peer-wire.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { connect, memberOf, samplePack, storeOf } from "./fixtures.ts";
import { blockOf, RawPeer, settle } from "./raw-peer.ts";

const pack = samplePack(1024 * 1024);
const LIMIT = { timeout: 20_000 };
const ADDRESS = Buffer.from([192, 0, 2, 1]);

/** What makes a seeder drop a peer, whose handshake was right, and with which code. */
const OFFENCES: readonly [what: string, code: string, offend: (peer: RawPeer) => void][] = [
  ["a DHT port", "E_PEER_ADDRESS", (peer) => peer.say({ type: "port", port: 6881 })],
  ["yourip", "E_PEER_ADDRESS", (peer) => peer.extended({ m: {}, yourip: ADDRESS })],
  ["ipv4", "E_PEER_ADDRESS", (peer) => peer.extended({ ipv4: ADDRESS, m: {} })],
  ["ipv6", "E_PEER_ADDRESS", (peer) => peer.extended({ ipv6: Buffer.alloc(16), m: {} })],
  ["a listening port", "E_PEER_ADDRESS", (peer) => peer.extended({ m: {}, p: 6881 })],
  ["peer exchange", "E_PEER_ADDRESS", (peer) => peer.extended({ m: { ut_pex: 1 } })],
  ["hole punching", "E_PEER_ADDRESS", (peer) => peer.extended({ m: { ut_holepunch: 4 } })],
  [
    "an extension that was not offered",
    "E_PEER_ADDRESS",
    (peer) => peer.say({ type: "extended", id: 1, payload: ADDRESS }),
  ],
  ["its program's name", "E_WIRE", (peer) => peer.extended({ m: {}, v: Buffer.from("program 1") })],
  ["metadata exchange", "E_WIRE", (peer) => peer.extended({ m: { ut_metadata: 2 } })],
  ["an impossible queue", "E_WIRE", (peer) => peer.extended({ m: {}, reqq: 0 })],
  ["a list of extensions", "E_WIRE", (peer) => peer.extended({ m: [] })],
  ["a handshake that is no dictionary", "E_WIRE", (peer) => peer.extended([])],
  [
    "a request behind the last piece",
    "E_WIRE",
    (peer) => peer.say({ type: "request", piece: pack.info.pieceCount, begin: 0, length: 1 }),
  ],
  [
    "a request over the end of a piece",
    "E_WIRE",
    (peer) => peer.say({ type: "request", piece: 0, begin: pack.info.pieceLength - 1, length: 2 }),
  ],
  [
    "a request longer than a block",
    "E_WIRE",
    (peer) => peer.say({ type: "request", piece: 0, begin: 0, length: 16_385 }),
  ],
  ["a request for nothing", "E_WIRE", (peer) => peer.say({ type: "request", piece: 0, begin: 0, length: 0 })],
  ["a piece out of range", "E_WIRE", (peer) => peer.say({ type: "have", piece: pack.info.pieceCount })],
  ["haveNone twice", "E_WIRE", (peer) => peer.say({ type: "haveNone" }, { type: "haveNone" })],
  ["a block unasked", "E_WIRE", (peer) => peer.say(blockOf(pack, 0, 0, 16_384))],
  ["a reject unasked", "E_WIRE", (peer) => peer.say({ type: "reject", piece: 0, begin: 0, length: 16_384 })],
  [
    "hashes unasked",
    "E_WIRE",
    (peer) => {
      const range = { root: pack.info.root, baseLayer: 2, index: 0, length: 2, proofLayers: 0 };
      peer.say({ type: "hashes", ...range, hashes: Buffer.alloc(64) });
    },
  ],
  [
    "extension handshakes without end",
    "E_PEER_FLOOD",
    (peer) => {
      for (let count = 0; count < 9; count++) peer.extended({ m: {} });
    },
  ],
];

for (const [what, code, offend] of OFFENCES) {
  test(`a peer that sends ${what} is dropped with ${code}`, LIMIT, async () => {
    const seeder = memberOf(await storeOf(pack));
    const peer = new RawPeer(seeder, pack).handshake();
    await settle();
    assert.ok(peer.heardTypes().has("haveAll"));
    offend(peer);
    await settle();
    assert.deepEqual(seeder.dropped, [code]);
    assert.ok(peer.closed);
    seeder.swarm.close();
  });
}

test("our own extension handshake holds no address and no name", LIMIT, async () => {
  const seeder = memberOf(await storeOf(pack));
  const peer = new RawPeer(seeder, pack).handshake();
  await settle();
  const extended = peer.heard.find((message) => message.type === "extended");
  assert.equal(extended?.payload.toString("latin1"), `d1:mde4:reqqi${LIMITS.peerQueuedRequests}ee`);
  seeder.swarm.close();
});

test("peer ids are random for every tunnel", LIMIT, async () => {
  const seeder = memberOf(await storeOf(pack));
  const peers = [1, 2].map((id) => new RawPeer(seeder, pack).handshake(Buffer.alloc(20, id)));
  await settle();
  const ids = peers.map(({ heard }) =>
    heard[0]?.type === "handshake" ? heard[0].peerId.toString("hex") : "",
  );
  assert.equal(new Set(ids).size, 2);
  assert.ok(!ids.includes(""));
  seeder.swarm.close();
});

test("another share's handshake, and one without the fast extension, get no answer", LIMIT, async () => {
  const seeder = memberOf(await storeOf(pack));
  const stranger = new RawPeer(seeder, pack).handshake(Buffer.alloc(20, 1), Buffer.alloc(20));
  const old = new RawPeer(seeder, pack);
  const reserved = Buffer.concat([
    Buffer.from("\x13BitTorrent protocol", "latin1"),
    Buffer.from([0, 0, 0, 0, 0, 0x10, 0, 0]),
    pack.info.infohash.subarray(0, 20),
    Buffer.alloc(20, 2),
  ]);
  old.duplex.write(reserved);
  await settle();
  assert.deepEqual(seeder.dropped.toSorted(), ["E_PEER_REFUSED", "E_WIRE"]);
  assert.deepEqual([stranger.heard, old.heard], [[], []]);
  seeder.swarm.close();
});

test("a flood of requests is answered or rejected within the queue, and then dropped", LIMIT, async () => {
  const seeder = memberOf(await storeOf(pack));
  const peer = new RawPeer(seeder, pack).handshake().say({ type: "haveNone" }, { type: "interested" });
  await settle();
  // It does not read, so nothing leaves the queue.
  peer.duplex.pause();
  const request: WireMessage = { type: "request", piece: 0, begin: 0, length: 16_384 };
  const most = LIMITS.peerQueuedRequests + LIMITS.peerOverflow + 100;
  for (let count = 0; count < most; count++) peer.say(request);
  await settle();
  assert.deepEqual(seeder.dropped, ["E_PEER_FLOOD"]);
  const held = (peer.duplex.peer as { mostWaitingBytes: number }).mostWaitingBytes;
  assert.ok(held < 1024 * 1024 + LIMITS.peerBlockedBytes, `held ${held} bytes`);
  seeder.swarm.close();
});

test("hash requests: out of range they are rejected, and unread answers do not pile up", LIMIT, async () => {
  const seeder = memberOf(await storeOf(pack));
  const peer = new RawPeer(seeder, pack).handshake().say({ type: "haveNone" });
  const range = { root: pack.info.root, baseLayer: 2, index: 0, length: 4, proofLayers: 3 };
  peer.say({ type: "hashRequest", ...range, index: 4096 });
  peer.say({ type: "hashRequest", ...range, baseLayer: 0 });
  peer.say({ type: "hashRequest", ...range, length: 2 ** 31 });
  peer.say({ type: "hashRequest", ...range, root: Buffer.alloc(32) });
  await settle();
  assert.equal(peer.heard.filter(({ type }) => type === "hashReject").length, 4);
  peer.duplex.pause();
  for (let count = 0; count < 30_000; count++) peer.say({ type: "hashRequest", ...range });
  await settle();
  assert.deepEqual(seeder.dropped, ["E_PEER_FLOOD"]);
  seeder.swarm.close();
});

test(
  "hashes that do not lead to the root drop the peer, and another gives the right ones",
  LIMIT,
  async () => {
    const leecher = memberOf(new MemoryStore(pack.info));
    const liar = new RawPeer(leecher, pack).handshake();
    liar.onMessage = (message) => {
      if (message.type !== "hashRequest") return;
      const count = message.length + 3;
      liar.say({ ...message, type: "hashes", hashes: Buffer.alloc(32 * count, 1) });
    };
    liar.say({ type: "haveAll" });
    await settle();
    assert.deepEqual(leecher.dropped, ["E_HASH"]);
    const seeder = memberOf(await storeOf(pack));
    connect(leecher, seeder);
    await leecher.complete;
    leecher.swarm.close();
    seeder.swarm.close();
  },
);

test(
  "a peer that has everything and refuses everything is dropped in the end, within bounds",
  LIMIT,
  async () => {
    const clock = new ManualClock();
    const leecher = memberOf(new MemoryStore(pack.info), { clock });
    const liar = new RawPeer(leecher, pack).handshake();
    let requests = 0;
    liar.serve((piece, begin, length) => {
      requests++;
      return { type: "reject", piece, begin, length };
    });
    for (let second = 0; second < 300 && leecher.dropped.length === 0; second++) {
      await settle(10);
      clock.advance(1000);
    }
    assert.deepEqual(leecher.dropped, ["E_PEER_TIMEOUT"]);
    assert.ok(requests <= LIMITS.peerRejectsInRow + LIMITS.peerRequests, `${requests} requests`);
    leecher.swarm.close();
  },
);

test("a peer that stalls loses its blocks to others, and is dropped later", LIMIT, async () => {
  const clock = new ManualClock();
  const leecher = memberOf(new MemoryStore(pack.info), { clock });
  const stalling = new RawPeer(leecher, pack).handshake().serve(() => undefined);
  await settle();
  const seeder = memberOf(await storeOf(pack));
  connect(leecher, seeder);
  for (let second = 0; second < 60 && !leecher.store.complete; second++) {
    await settle(10);
    clock.advance(1000);
  }
  assert.ok(leecher.store.complete, "the stalled peer kept its blocks");
  // Or it would send all of it after all, once it goes on.
  const asked = stalling.count("request");
  assert.ok(asked > 0 && stalling.count("cancel") === asked, "it was not told that others had been quicker");
  leecher.swarm.close();
  seeder.swarm.close();
});

test(
  "silence, no handshake and eternal choking end in a drop; a keepalive goes out before",
  LIMIT,
  async () => {
    const clock = new ManualClock();
    const leecher = memberOf(new MemoryStore(pack.info), { clock });
    const mute = new RawPeer(leecher, pack);
    const choker = new RawPeer(leecher, pack).handshake().say({ type: "haveAll" });
    const quiet = new RawPeer(leecher, pack).handshake(Buffer.alloc(20, 9)).say({ type: "haveNone" });
    choker.onMessage = (message) => {
      if (message.type !== "hashRequest") return;
      choker.say({ ...message, type: "hashReject" });
    };
    await settle();
    for (let second = 0; second < 260; second++) {
      clock.advance(1000);
      if (second % 10 === 0) choker.say({ type: "keepalive" });
      await settle(3);
      if (second === 40) assert.deepEqual([mute.closed, choker.closed], [true, false]);
      if (second === 130) assert.ok(choker.closed && quiet.heardTypes().has("keepalive"));
    }
    assert.ok(quiet.closed);
    assert.deepEqual(new Set(leecher.dropped), new Set(["E_PEER_TIMEOUT"]));
    leecher.swarm.close();
  },
);

test("random valid-looking messages lead to nothing but the closing of a session", LIMIT, async () => {
  const piece = fc.oneof(fc.nat({ max: pack.info.pieceCount + 1 }), fc.constant(0xffff_ffff));
  const begin = fc.constantFrom(0, 1, 16_384, 32_768, 49_152, 65_536, 0xffff_ffff);
  const length = fc.constantFrom(0, 1, 16_383, 16_384, 16_385);
  const range = fc.record({
    root: fc.constantFrom(pack.info.root, Buffer.alloc(32)),
    baseLayer: fc.constantFrom(0, 2, 3, 0xffff_ffff),
    index: fc.constantFrom(0, 1, 4, 16, 0xffff_ffff),
    length: fc.constantFrom(1, 2, 16, 512),
    proofLayers: fc.constantFrom(0, 1, 3, 0xffff_ffff),
  });
  const message: fc.Arbitrary<WireMessage> = fc.oneof(
    fc.constantFrom<WireMessage>({ type: "choke" }, { type: "unchoke" }, { type: "interested" }),
    fc.constantFrom<WireMessage>({ type: "notInterested" }, { type: "keepalive" }),
    fc.constantFrom<WireMessage>({ type: "haveAll" }, { type: "haveNone" }),
    fc.record({ type: fc.constantFrom("have", "suggest", "allowedFast"), piece }),
    fc.record({ type: fc.constantFrom("request", "cancel", "reject"), piece, begin, length }),
    fc.record({
      type: fc.constant("piece" as const),
      piece,
      begin,
      bytes: fc.constant(Buffer.alloc(16_384)),
    }),
    fc.record({ type: fc.constant("bitfield" as const), bits: fc.constant(Buffer.alloc(2, 0xaa)) }),
    range.map((fields): WireMessage => ({ type: "hashRequest", ...fields })),
    range.map((fields): WireMessage => ({ type: "hashReject", ...fields })),
    range.map((fields): WireMessage => ({
      type: "hashes",
      ...fields,
      hashes: Buffer.alloc(32 * (fields.length + 1)),
    })),
    fc.record({
      type: fc.constant("extended" as const),
      id: fc.constantFrom(0, 0, 1),
      payload: fc.constantFrom(
        Buffer.from("d1:mdee"),
        Buffer.from("de"),
        Buffer.from("d4:reqqi-1ee"),
        ADDRESS,
      ),
    }),
  );
  const store = await storeOf(pack, (piece) => piece < 8);
  const plan = fc.tuple(fc.boolean(), fc.array(message, { maxLength: 40 }));
  await fc.assert(
    fc.asyncProperty(plan, async ([layerKnown, messages]) => {
      const member = memberOf(layerKnown ? store : new MemoryStore(pack.info));
      const peer = new RawPeer(member, pack).handshake().say(...messages);
      await settle(6);
      assert.ok(!member.dropped.includes("E_INTERNAL"), "a message led to a fault of ours");
      peer.duplex.close();
      await settle(3);
      assert.equal(member.swarm.stats().peerCount, 0);
      member.swarm.close();
    }),
    { numRuns: 400 },
  );
});
