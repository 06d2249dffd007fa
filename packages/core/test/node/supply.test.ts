import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { BackroomError } from "../../src/base/errors.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { samplePack, storeOf } from "../swarm/fixtures.ts";
import { newShareWorld } from "./share-world.ts";

const pack = samplePack(1024 * 1024);
const LIMIT = { timeout: 20_000 };

function worldFor(t: TestContext, gateCount = 3) {
  const world = newShareWorld(gateCount);
  t.after(() => world.close());
  return world;
}

/** Would catch: leases that are not passed on, not taken, not dialled, or dialled only after another look-up. */
test(
  "who knows one lease finds a second seeder through it, without asking anybody else",
  LIMIT,
  async (t) => {
    const world = worldFor(t);
    const sharer = world.newMember(await storeOf(pack), { isSharer: true });
    const sharers = await world.leaseOf(sharer);
    // It has half of the pack and fetches nothing more, so that the other half can come from the sharer alone.
    const half = world.newMember(await storeOf(pack, (piece) => piece % 2 === 0));
    half.swarming.book.add(sharers, "gate");
    half.swarming.seed();
    const downloader = world.newMember(new MemoryStore(pack.info));
    downloader.swarming.book.add(await world.leaseOf(half), "gate");
    void downloader.fetch();
    await downloader.complete;
    assert.ok(sharer.swarming.swarm.stats().uploadedBytes >= pack.bytes.length / 2 - 65_536);
    assert.ok(half.swarming.swarm.stats().uploadedBytes > 0);
    // One at the start, since one seeder is fewer than are wanted: three scouts, for one epoch or two.
    assert.ok(downloader.counts.lookups <= 6, `${downloader.counts.lookups} look-ups`);
  },
);

/** Would catch: a download that starves beside a seeder, since all its tunnels lead to those who chose other files. */
test("who has nothing of what is missing takes no seeder's place", LIMIT, async (t) => {
  const world = worldFor(t);
  const isHere = (piece: number): boolean => piece % 2 === 0;
  const downloader = world.newMember(await storeOf(pack, isHere), { speed: 25 });
  for (let count = 0; count < 6; count++) {
    const half = world.newMember(await storeOf(pack, isHere));
    half.swarming.seed();
    downloader.swarming.book.add(await world.leaseOf(half), "gate");
  }
  void downloader.fetch();
  while (downloader.swarming.swarm.stats().peerCount < 6) await sleep(20);
  const whole = world.newMember(await storeOf(pack));
  downloader.swarming.book.add(await world.leaseOf(whole), "gate");
  await downloader.complete;
  assert.equal(whole.swarming.swarm.stats().uploadedBytes, pack.bytes.length / 2);
});

/** Would catch: rumours that travel on although nobody has met the seeder. */
test("hearsay is not passed on", LIMIT, async (t) => {
  const world = worldFor(t);
  const sharer = world.newMember(await storeOf(pack), { isSharer: true });
  const sharers = await world.leaseOf(sharer);
  const half = world.newMember(await storeOf(pack, (piece) => piece % 2 === 0));
  half.swarming.book.add(sharers, "peer");
  half.swarming.seed();
  const downloader = world.newMember(new MemoryStore(pack.info));
  downloader.swarming.book.add(await world.leaseOf(half), "gate");
  void downloader.fetch();
  await sleep(500);
  assert.deepEqual(
    downloader.swarming.book.list().map(({ seeder }) => seeder),
    [half.swarming.seeder],
  );
});

/** Would catch: two standing circuits and two proofs of work for every download of a few seconds. */
test("a short download does not register as a seeder, unless it is asked to hand out", LIMIT, async (t) => {
  const world = worldFor(t);
  const sharer = world.newMember(await storeOf(pack), { isSharer: true });
  const downloader = world.newMember(new MemoryStore(pack.info));
  downloader.swarming.book.add(await world.leaseOf(sharer), "gate");
  await sleep(100);
  const before = world.registrations();
  void downloader.fetch();
  await downloader.complete;
  await sleep(500);
  assert.equal(world.registrations(), before);
  downloader.swarming.seed();
  await world.leaseOf(downloader);
});

/** Would catch: somebody who goes on handing out, and dials seeders that have everything, again and again, until its patience ends. */
test("once all is there nobody is looked for any more", LIMIT, async (t) => {
  const world = worldFor(t);
  const sharer = world.newMember(await storeOf(pack), { isSharer: true });
  const downloader = world.newMember(new MemoryStore(pack.info));
  downloader.swarming.book.add(await world.leaseOf(sharer), "gate");
  void downloader.fetch();
  await downloader.complete;
  await sleep(100);
  const circuits = downloader.counts.circuits;
  await sleep(1_500);
  assert.equal(downloader.counts.circuits, circuits);
});

/** Would catch: a stopped or finished download that waits half a minute for a circuit that does not come. */
test("whoever stops does not wait for a circuit that is being built", LIMIT, async (t) => {
  const world = worldFor(t);
  const sharer = world.newMember(await storeOf(pack), { isSharer: true });
  const downloader = world.newMember(new MemoryStore(pack.info));
  downloader.swarming.book.add(await world.leaseOf(sharer), "gate");
  downloader.client.open = () => new Promise(() => {});
  const stop = new AbortController();
  const run = downloader.fetch(stop.signal);
  await sleep(50);
  stop.abort();
  const startedMs = performance.now();
  await assert.rejects(run, { code: "E_INTERRUPTED" });
  assert.ok(performance.now() - startedMs < 1_000);
});

/** Would catch: a mirror whose disk is full that says, minutes later, that there are no seeders. */
test("a full disk ends the supply at once, with that reason", LIMIT, async (t) => {
  const world = worldFor(t);
  class FullStore extends MemoryStore {
    override write(): Promise<void> {
      return Promise.reject(new BackroomError("E_DISK_FULL", "no room"));
    }
  }
  const sharer = world.newMember(await storeOf(pack), { isSharer: true });
  const downloader = world.newMember(new FullStore(pack.info));
  downloader.swarming.book.add(await world.leaseOf(sharer), "gate");
  await assert.rejects(downloader.fetch(), { code: "E_DISK_FULL" });
});

/** Would catch: a seeder that is full, or leaves at once, being dialled as fast as circuits can be built. */
for (const [when, isOver] of [
  ["before", true],
  ["after", false],
] as const) {
  test(`a seeder that closes ${when} the handshake is left alone for a while`, LIMIT, async (t) => {
    const world = worldFor(t);
    // It has next to nothing to give: from one that gave much, a relay went away, and it is dialled again.
    const sharer = world.newMember(await storeOf(pack, (piece) => piece === 1), { isSharer: true });
    sharer.swarming.seed();
    const downloader = world.newMember(new MemoryStore(pack.info));
    downloader.swarming.book.add(await world.leaseOf(sharer), "gate");
    if (isOver) sharer.swarming.swarm.close();
    const ended = downloader.fetch().catch(() => {});
    await Promise.race([ended, sleep(300)]);
    assert.equal(downloader.swarming.swarm.stats().peerCount, isOver ? 0 : 1);
    sharer.swarming.swarm.close();
    await sleep(1_700);
    const { circuits, lookups } = downloader.counts;
    // Once more through its other gate: it may have been the gate that ended the tunnel.
    assert.ok(circuits - lookups <= 2, "it was dialled again");
  });
}
