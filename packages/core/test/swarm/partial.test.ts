import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { LEVELS } from "../../src/swarm/pick-order.ts";
import { connect, memberOf, pieceOf, samplePack, storeOf, type Member } from "./fixtures.ts";
import { settle } from "./raw-peer.ts";

const MIB = 1024 * 1024;
const LIMIT = { timeout: 20_000 };

function levelsOf({ store }: Member, isWanted: (piece: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: store.info.pieceCount }, (_, piece) =>
    isWanted(piece) ? LEVELS.normal : LEVELS.skip,
  );
}

function close(...members: Member[]): void {
  for (const { swarm } of members) swarm.close();
}

function pieces({ store }: Member): number[] {
  return Array.from({ length: store.info.pieceCount }, (_, piece) => piece).filter((piece) =>
    store.have(piece),
  );
}

test(
  "only what is wanted comes, then it is complete and parts from a seeder; what is wanted later comes, too",
  LIMIT,
  async () => {
    const pack = samplePack(4 * MIB + 100);
    const seeder = memberOf(await storeOf(pack));
    const leecher = memberOf(new MemoryStore(pack.info));
    const last = pack.info.pieceCount - 1;
    leecher.swarm.want({ levels: levelsOf(leecher, (piece) => piece < 10 || piece === last) });
    connect(leecher, seeder);
    await leecher.complete;
    const stats = leecher.swarm.stats();
    assert.equal(stats.downloadedBytes, 10 * pack.info.pieceLength + 100);
    assert.deepEqual(
      [stats.wantedBytes, stats.wantedDoneBytes],
      [stats.downloadedBytes, stats.downloadedBytes],
    );
    assert.ok(stats.complete && !leecher.store.complete);
    await settle();
    assert.deepEqual(leecher.dropped, [""], "nothing is left to say to a seeder");

    leecher.swarm.want({ levels: levelsOf(leecher, (piece) => piece < 20 && piece !== 3) });
    const more = leecher.swarm.stats();
    assert.ok(!more.complete);
    assert.equal(more.wantedBytes - more.wantedDoneBytes, 10 * pack.info.pieceLength);
    connect(leecher, seeder);
    await leecher.swarm.whenPiece(19);
    while (!leecher.swarm.stats().complete) await settle();
    assert.deepEqual(pieces(leecher), [...Array.from({ length: 20 }, (_, piece) => piece), last]);
    close(seeder, leecher);
  },
);

test("while more will be wanted nobody is sent away", LIMIT, async () => {
  const pack = samplePack(2 * MIB);
  const seeder = memberOf(await storeOf(pack));
  const leecher = memberOf(new MemoryStore(pack.info));
  leecher.swarm.want({ levels: levelsOf(leecher, (piece) => piece === 0), isPreliminary: true });
  connect(leecher, seeder);
  await leecher.swarm.whenPiece(0);
  await settle();
  assert.deepEqual([leecher.swarm.stats().complete, leecher.dropped], [false, []]);
  leecher.swarm.want({ levels: levelsOf(leecher, (piece) => piece < 2) });
  await leecher.complete;
  assert.deepEqual(pieces(leecher), [0, 1]);
  close(seeder, leecher);
});

test(
  "two partial seeders of complementary halves serve a third completely, and each other",
  LIMIT,
  async () => {
    const pack = samplePack(6 * MIB);
    const halves = [0, 1].map(async (rest) => memberOf(await storeOf(pack, (piece) => piece % 2 === rest)));
    const [even, odd] = (await Promise.all(halves)) as [Member, Member];
    // Both have all that they want.
    for (const half of [even, odd])
      half.swarm.want({ levels: levelsOf(half, (piece) => half.store.have(piece)) });
    const third = memberOf(new MemoryStore(pack.info));
    connect(third, even);
    connect(third, odd);
    await third.complete;
    assert.ok((await third.store.read(0, pack.bytes.length)).equals(pack.bytes));
    for (const half of [even, odd]) assert.equal(half.swarm.stats().uploadedBytes, pack.bytes.length / 2);
    assert.equal(third.swarm.stats().wastedBytes, 0);

    connect(even, odd);
    even.swarm.want({ levels: levelsOf(even, () => true) });
    await even.complete;
    while (!even.store.complete) await settle();
    assert.ok(!odd.store.complete, "who wants nothing fetches nothing");
    close(even, odd, third);
  },
);

test("a peer that has nothing of what is wanted is known as such, until it has", LIMIT, async () => {
  const pack = samplePack(2 * MIB);
  const other = memberOf(await storeOf(pack, (piece) => piece > 5));
  const leecher = memberOf(new MemoryStore(pack.info));
  leecher.swarm.want({ levels: levelsOf(leecher, (piece) => piece < 3) });
  const tokens: object[] = [];
  const add = leecher.swarm.addPeer.bind(leecher.swarm);
  leecher.swarm.addPeer = (duplex, options) => {
    const token = add(duplex, options);
    if (token !== undefined) tokens.push(token);
    return token;
  };
  connect(leecher, other);
  while (leecher.swarm.stats().peerCount === 0) await settle();
  await settle();
  const [token] = tokens as [object];
  assert.equal(leecher.swarm.hasUse(token), false);
  leecher.swarm.want({ levels: levelsOf(leecher, (piece) => piece < 7) });
  assert.equal(leecher.swarm.hasUse(token), true);
  await leecher.swarm.whenPiece(6);
  leecher.swarm.dropPeer(token);
  assert.equal(leecher.swarm.hasUse(token), false);
  assert.deepEqual(leecher.dropped, [""]);
  close(other, leecher);
});

test(
  "what is not wanted is read all the same, without what follows it, and not once nobody waits for it",
  LIMIT,
  async () => {
    const pack = samplePack(4 * MIB);
    const seeder = memberOf(await storeOf(pack));
    const leecher = memberOf(new MemoryStore(pack.info));
    leecher.swarm.want({ levels: levelsOf(leecher, () => false), isPreliminary: true });
    const source = leecher.swarm.source();
    const stop = new AbortController();
    const given = source.read(40 * pack.info.pieceLength, 5, stop.signal);
    stop.abort();
    await assert.rejects(given, (error: unknown) => isBackroomError(error, "E_INTERRUPTED"));
    await assert.rejects(source.read(0, 5, stop.signal), (error: unknown) =>
      isBackroomError(error, "E_INTERRUPTED"),
    );
    connect(leecher, seeder);
    const { pieceLength } = pack.info;
    const bytes = await source.read(10 * pieceLength, 3 * pieceLength);
    assert.ok(bytes.equals(pack.bytes.subarray(10 * pieceLength, 13 * pieceLength)));
    await settle();
    assert.deepEqual(pieces(leecher), [10, 11, 12]);
    close(seeder, leecher);
  },
);

test("requests for what is not wanted any more are taken back", LIMIT, async () => {
  const pack = samplePack(4 * MIB);
  const seeder = memberOf(await storeOf(pack));
  const leecher = memberOf(new MemoryStore(pack.info));
  connect(leecher, seeder);
  await leecher.swarm.whenPiece(0);
  leecher.swarm.want({ levels: levelsOf(leecher, () => false) });
  const { haveCount } = leecher.swarm.stats();
  for (let turn = 0; turn < 20; turn++) await settle();
  // Those that were whole and on their way to the disk.
  assert.ok(leecher.swarm.stats().haveCount <= haveCount + 4);
  for (const piece of pieces(leecher)) {
    assert.ok(
      (await leecher.store.read(piece * pack.info.pieceLength, 9)).equals(
        pieceOf(pack, piece).subarray(0, 9),
      ),
    );
  }
  close(seeder, leecher);
});

/** Would catch: a download that never ends, since somebody looked at another file when its last piece came. */
test(
  "that all is there is told also where what comes last, or is given up last, was not wanted",
  LIMIT,
  async () => {
    const pack = samplePack(2 * MIB);
    const isWanted = (piece: number): boolean => piece < 3;
    for (const isGivenUp of [false, true]) {
      const some = memberOf(await storeOf(pack, isWanted));
      const leecher = memberOf(new MemoryStore(pack.info));
      leecher.swarm.want({ levels: levelsOf(leecher, isWanted) });
      const stop = new AbortController();
      const looking = leecher.swarm.source().read(20 * pack.info.pieceLength, 5, stop.signal);
      connect(leecher, some);
      while (pieces(leecher).length < 3) await settle();
      assert.equal(leecher.swarm.stats().complete, false);
      if (isGivenUp) {
        stop.abort();
        await assert.rejects(looking, (error: unknown) => isBackroomError(error, "E_INTERRUPTED"));
      } else {
        const all = memberOf(await storeOf(pack));
        connect(leecher, all);
        await looking;
        close(all);
      }
      await leecher.complete;
      close(some, leecher);
    }
  },
);

/** Would catch: a download that looks for ever for what a read needed that is over, whenever it ended, and whoever reads the same beside it. */
test("whoever stops reading takes back all that the read would have needed", LIMIT, async () => {
  const pack = samplePack(2 * MIB);
  const { pieceLength } = pack.info;
  const isStopped = (error: unknown): boolean => isBackroomError(error, "E_INTERRUPTED");
  for (const isShared of [false, true]) {
    // Nobody has piece 12.
    const some = memberOf(await storeOf(pack, (piece) => piece === 10 || piece === 11));
    const stop = new AbortController();
    const leecher = memberOf(
      new MemoryStore(pack.info),
      {},
      { onPiece: (piece) => (piece === 10 && !isShared ? stop.abort() : undefined) },
    );
    leecher.swarm.want({ levels: levelsOf(leecher, (piece) => piece === 11) });
    const source = leecher.swarm.source();
    const stopped = assert.rejects(source.read(10 * pieceLength, 3 * pieceLength, stop.signal), isStopped);
    const other = isShared ? source.read(10 * pieceLength, 5) : undefined;
    if (isShared) stop.abort();
    connect(leecher, some);
    await Promise.all([stopped, other]);
    await leecher.complete;
    assert.deepEqual([leecher.swarm.stats().complete, pieces(leecher)], [true, [10, 11]]);
    close(some, leecher);
  }
});
