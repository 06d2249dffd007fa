import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteDuplex } from "../../src/base/duplex.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { connect, memberOf, pieceOf, samplePack, storeOf, type Member } from "./fixtures.ts";
import { blockOf, RawPeer, settle } from "./raw-peer.ts";

const MIB = 1024 * 1024;
const LIMIT = { timeout: 20_000 };

function close(...members: Member[]): void {
  for (const { swarm } of members) swarm.close();
}

for (const length of [1, 16 * 1024, 64 * 1024 + 1, 5 * MIB + 12_345]) {
  test(`a leecher gets ${length} bytes from one seeder, knowing only root and length`, LIMIT, async () => {
    const pack = samplePack(length);
    const seeder = memberOf(await storeOf(pack));
    const leecher = memberOf(new MemoryStore(pack.info));
    connect(leecher, seeder, { sliceBytes: 16_288 });
    await leecher.complete;
    assert.ok((await leecher.store.read(0, length)).equals(pack.bytes));
    assert.deepEqual(leecher.store.pieceLayer(), pack.pieceLayer);
    const stats = leecher.swarm.stats();
    assert.equal(stats.downloadedBytes, length, "blocks came twice");
    assert.ok(stats.complete);
    assert.deepEqual(leecher.dropped, [""], "two that have everything should part in good order");
    assert.equal(seeder.swarm.stats().uploadedBytes, length);
    close(seeder, leecher);
  });
}

test("four seeders share the work, and little comes twice", LIMIT, async () => {
  const pack = samplePack(16 * MIB);
  const store = await storeOf(pack);
  const seeders = Array.from({ length: 4 }, () => memberOf(store));
  const leecher = memberOf(new MemoryStore(pack.info));
  for (const seeder of seeders) connect(leecher, seeder);
  await leecher.complete;
  assert.ok((await leecher.store.read(0, pack.bytes.length)).equals(pack.bytes));
  const shares = seeders.map(({ swarm }) => swarm.stats().uploadedBytes);
  assert.ok(Math.min(...shares) > MIB, `one seeder idles: ${shares.join(" ")}`);
  assert.ok(leecher.swarm.stats().downloadedBytes < 1.1 * pack.bytes.length);
  close(leecher, ...seeders);
});

test("leechers trade with each other: the seeder uploads far less than they receive", LIMIT, async () => {
  const pack = samplePack(6 * MIB);
  const seeder = memberOf(await storeOf(pack));
  // One only that reaches the seeder: the others get everything through it and one another.
  const leechers = Array.from({ length: 4 }, () => memberOf(new MemoryStore(pack.info)));
  connect(leechers[0] as Member, seeder);
  for (const [index, leecher] of leechers.entries()) {
    for (const other of leechers.slice(index + 1)) connect(leecher, other);
  }
  await Promise.all(leechers.map((leecher) => leecher.complete));
  for (const { store } of leechers) assert.ok((await store.read(0, pack.bytes.length)).equals(pack.bytes));
  const uploaded = seeder.swarm.stats().uploadedBytes;
  assert.ok(uploaded <= pack.bytes.length, `the seeder sent ${uploaded}`);
  close(seeder, ...leechers);
});

test("resume: a store that is half full fetches only the other half", LIMIT, async () => {
  const pack = samplePack(4 * MIB);
  const seeder = memberOf(await storeOf(pack));
  const leecher = memberOf(await storeOf(pack, (piece) => piece % 2 === 0));
  connect(leecher, seeder);
  await leecher.complete;
  assert.equal(leecher.swarm.stats().downloadedBytes, pack.bytes.length / 2);
  close(seeder, leecher);
});

test("a download goes on when its only seeder leaves and another comes", LIMIT, async () => {
  const pack = samplePack(4 * MIB);
  const store = await storeOf(pack);
  const first = memberOf(store);
  const second = memberOf(store);
  let joined = false;
  const leecher = memberOf(
    new MemoryStore(pack.info),
    {},
    {
      onPiece: () => {
        if (joined || leecher.store.haveCount() < 20) return;
        joined = true;
        first.swarm.close();
        connect(leecher, second);
      },
    },
  );
  connect(leecher, first);
  await leecher.complete;
  assert.ok((await leecher.store.read(0, pack.bytes.length)).equals(pack.bytes));
  close(leecher, second);
});

/** Would catch: requests that stay with a peer that is being replaced, so that blocks come twice or the change takes as long as its queue. */
test(
  "a peer that another one replaces sends what is under way, and nothing of it is asked twice",
  LIMIT,
  async () => {
    const pack = samplePack(1024 * 1024);
    const clock = new ManualClock();
    const leecher = memberOf(new MemoryStore(pack.info), { clock });
    const requests: { piece: number; begin: number; length: number }[] = [];
    const old = new RawPeer(leecher, pack).handshake().serve((piece, begin, length) => {
      requests.push({ piece, begin, length });
      return undefined;
    });
    await settle();
    const [underWay, ...queued] = requests;
    assert.ok(underWay !== undefined && queued.length > 8);
    const next = new RawPeer(leecher, pack, old.token).handshake(Buffer.alloc(20, 9));
    next.serve((piece, begin, length) => blockOf(pack, piece, begin, length));
    await settle();
    assert.equal(old.count("cancel"), requests.length);
    assert.equal(old.closed, false, "it is closed before it sent what is under way");
    old.say(blockOf(pack, underWay.piece, underWay.begin, underWay.length));
    old.say(...queued.map((range) => ({ type: "reject" as const, ...range })));
    await settle();
    assert.equal(old.closed, true, "it owes nothing, and stays");
    for (let tick = 0; tick < 10 && !leecher.store.complete; tick++) {
      clock.advance(500);
      await settle();
    }
    const { complete, downloadedBytes, wastedBytes } = leecher.swarm.stats();
    assert.deepEqual([complete, downloadedBytes, wastedBytes], [true, pack.bytes.length, 0]);
    leecher.swarm.close();
  },
);

test("reads wait for their pieces, which come before others", LIMIT, async () => {
  const pack = samplePack(32 * MIB);
  const arrived: number[] = [];
  const seeder = memberOf(await storeOf(pack));
  const leecher = memberOf(new MemoryStore(pack.info), {}, { onPiece: (piece) => void arrived.push(piece) });
  const source = leecher.swarm.source();
  const { pieceLength } = pack.info;
  const offset = 200 * pieceLength - 10;
  const read = source.read(offset, 20);
  connect(leecher, seeder);
  assert.ok((await read).equals(pack.bytes.subarray(offset, offset + 20)));
  assert.ok(arrived.length < 150, `${arrived.length} pieces came first`);
  await leecher.complete;
  assert.ok((await source.read(0, source.length)).equals(pack.bytes));
  close(seeder, leecher);
});

test("closing rejects who waits, and says nothing of an internal fault", LIMIT, async () => {
  const leecher = memberOf(new MemoryStore(samplePack(MIB).info));
  const waiting = leecher.swarm.whenPiece(3);
  leecher.swarm.close();
  await assert.rejects(waiting, { code: "E_SWARM_CLOSED" });
  await assert.rejects(leecher.swarm.source().read(0, 5), { code: "E_SWARM_CLOSED" });
});

test("a full disk stops the swarm and reaches everybody who waits", LIMIT, async () => {
  const pack = samplePack(MIB);
  class FullStore extends MemoryStore {
    override write(): Promise<void> {
      return Promise.reject(new BackroomError("E_DISK_FULL", "no room"));
    }
  }
  const seeder = memberOf(await storeOf(pack));
  const leecher = memberOf(new FullStore(pack.info));
  const waiting = leecher.swarm.whenPiece(0);
  connect(leecher, seeder);
  await assert.rejects(waiting, { code: "E_DISK_FULL" });
  await assert.rejects(leecher.complete, { code: "E_DISK_FULL" });
  close(seeder);
});

test("a piece that turns out damaged on disk is fetched again", LIMIT, async () => {
  const pack = samplePack(MIB);
  class DecayingStore extends MemoryStore {
    decayed = false;
    override get complete(): boolean {
      return super.complete && !this.decayed;
    }
    override have(piece: number): boolean {
      return super.have(piece) && !(this.decayed && piece === 5);
    }
    override read(offset: number, length: number): Promise<Buffer> {
      const damaged = this.decayed && Math.floor(offset / this.info.pieceLength) === 5;
      return damaged ? Promise.reject(new BackroomError("E_HASH", "decayed")) : super.read(offset, length);
    }
    override async write(piece: number, bytes: Buffer): Promise<void> {
      if (piece === 5) this.decayed = false;
      await super.write(piece, bytes);
    }
  }
  const store = new DecayingStore(pack.info);
  const seeder = memberOf(await storeOf(pack));
  const leecher = memberOf(store);
  connect(leecher, seeder);
  await leecher.complete;
  store.decayed = true;
  const read = leecher.swarm.source().read(5 * pack.info.pieceLength, 100);
  await settle();
  connect(leecher, seeder);
  assert.ok((await read).equals(pieceOf(pack, 5).subarray(0, 100)));
  close(seeder, leecher);
});

/** Would catch: an answer for what cannot be read that is something else than a reject, and so breaks the wire or leaves the asker waiting. */
test("a seeder that finds a piece damaged refuses it and stays", LIMIT, async () => {
  const pack = samplePack(MIB);
  class RottenStore extends MemoryStore {
    rotten = false;
    override have(piece: number): boolean {
      return super.have(piece) && !(this.rotten && piece === 5);
    }
    override read(offset: number, length: number): Promise<Buffer> {
      if (Math.floor(offset / this.info.pieceLength) !== 5) return super.read(offset, length);
      this.rotten = true;
      return Promise.reject(new BackroomError("E_HASH", "rotten"));
    }
  }
  const store = new RottenStore(pack.info);
  const seeder = memberOf(store);
  await store.setPieceLayer(pack.pieceLayer);
  for (let piece = 0; piece < pack.info.pieceCount; piece++) await store.write(piece, pieceOf(pack, piece));
  const asker = new RawPeer(seeder, pack).handshake();
  const blocks = [0, 16_384].map((begin) => ({ piece: 5, begin, length: 16_384 }));
  asker.say({ type: "haveNone" }, { type: "interested" });
  asker.say(...blocks.map((block) => ({ type: "request", ...block }) as const));
  asker.say({ type: "request", piece: 6, begin: 0, length: 16_384 });
  await settle();
  const answers = asker.heard.filter(({ type }) => ["reject", "request", "piece"].includes(type));
  assert.deepEqual(
    answers.map((message) => [message.type, "piece" in message ? message.piece : undefined]),
    [
      ["reject", 5],
      ["reject", 5],
      ["piece", 6],
    ],
  );
  assert.deepEqual(seeder.dropped, []);
  close(seeder);
});

test("a seeder of bad pieces is dropped, and the data is right", LIMIT, async () => {
  const pack = samplePack(2 * MIB);
  const leecher = memberOf(new MemoryStore(pack.info));
  const liar = new RawPeer(leecher, pack).handshake();
  let lies = 0;
  liar.serve((piece, begin, length) => blockOf(pack, piece, begin, length, lies++ % 3 === 2));
  const seeder = memberOf(await storeOf(pack));
  connect(leecher, seeder);
  await leecher.complete;
  assert.ok(leecher.dropped.includes("E_PEER_DATA"), "the liar is still there");
  assert.ok(!leecher.dropped.slice(1).includes("E_PEER_DATA"), "an honest peer was dropped");
  assert.ok((await leecher.store.read(0, pack.bytes.length)).equals(pack.bytes));
  close(seeder, leecher);
});

test(
  "when a bad piece came from several peers, the one that lied is found and no other is dropped",
  LIMIT,
  async () => {
    // One piece of four blocks: the honest peer sends two of them, the liar the others.
    const pack = samplePack(64 * 1024);
    const leecher = memberOf(new MemoryStore(pack.info));
    const told: string[] = [];
    const turnOf = (name: string, wrong: boolean, most: number): RawPeer => {
      const peer = new RawPeer(leecher, pack).handshake(Buffer.from(name.padEnd(20)));
      let count = 0;
      return peer.serve((piece, begin, length) => {
        told.push(name);
        const answer = blockOf(pack, piece, begin, length, wrong);
        return count++ < most ? answer : { type: "reject", piece, begin, length };
      });
    };
    const liar = turnOf("liar", true, 2);
    await settle();
    const honest = turnOf("honest", false, 100);
    await leecher.complete;
    await settle();
    assert.deepEqual(
      leecher.dropped.filter((code) => code !== ""),
      ["E_PEER_DATA"],
    );
    assert.ok(liar.closed);
    assert.ok(told.includes("honest"));
    assert.ok((await leecher.store.read(0, pack.bytes.length)).equals(pack.bytes));
    assert.ok(honest.heardTypes().has("request"));
    close(leecher);
  },
);

test("the same peer twice, and this computer itself, are refused", LIMIT, async () => {
  const pack = samplePack(MIB);
  const member = memberOf(new MemoryStore(pack.info));
  connect(member, member);
  await settle();
  assert.ok(member.dropped.includes("E_PEER_REFUSED"));
  new RawPeer(member, pack).handshake(Buffer.alloc(20, 1)).say({ type: "haveNone" });
  const twin = new RawPeer(member, pack).handshake(Buffer.alloc(20, 1)).say({ type: "haveNone" });
  await settle();
  assert.ok(twin.closed, "a twin was let in");
  assert.equal(member.swarm.stats().peerCount, 1);
  close(member);
});

test("no more peers than allowed, and an idle one does not keep a new one out for ever", LIMIT, async () => {
  const pack = samplePack(MIB);
  const clock = new ManualClock();
  const member = memberOf(new MemoryStore(pack.info), { clock });
  const join = (id: number): RawPeer => new RawPeer(member, pack).handshake(Buffer.alloc(20, id));
  const peers = Array.from({ length: 65 }, (_, id) => join(id));
  await settle();
  assert.equal(member.swarm.stats().peerCount, 64);
  assert.ok((peers[64] as RawPeer).closed, "one too many was let in");
  clock.advance(61_000);
  const late = join(100);
  await settle();
  assert.ok(!late.closed, "idle peers keep everybody out");
  assert.equal(member.swarm.stats().peerCount, 64);
  assert.deepEqual(member.dropped, ["E_PEER_REFUSED"]);
  close(member);
});

test("a read beyond the end is a fault of the caller, not a wait for ever", LIMIT, async () => {
  const pack = samplePack(MIB);
  const member = memberOf(new MemoryStore(pack.info));
  await assert.rejects(member.swarm.whenPiece(pack.info.pieceCount), { code: "E_INTERNAL" });
  await assert.rejects(member.swarm.source().read(MIB - 1, 2), { code: "E_INTERNAL" });
  close(member);
});

/** Would catch: a caller that counts somebody as connected who left before the session began, for ever. */
test("a duplex that the other side has closed already makes no peer", LIMIT, async () => {
  const member = memberOf(new MemoryStore(samplePack(MIB).info));
  const stillborn: ByteDuplex = {
    start: (handlers) => handlers.onClose(),
    write: () => false,
    pause() {},
    resume() {},
    close() {},
  };
  assert.equal(member.swarm.addPeer(stillborn, { initiator: true }), undefined);
  assert.equal(member.swarm.stats().peerCount, 0);
  close(member);
});
