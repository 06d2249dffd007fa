import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { samplePack, storeOf, type SamplePack } from "../swarm/fixtures.ts";
import { withWorld, type MemberWorld } from "./member-world.ts";

const HOUR_MS = 3_600_000;
/** So that 22 MiB take three hours, and nobody waits for as long as makes a peer count as one that stalls. */
const BYTES_PER_MS = 2.6;

/** A store so slow that a transfer takes hours. */
async function slowStoreOf(pack: SamplePack, world: MemberWorld): Promise<MemoryStore> {
  const { clock } = world;
  const store = await storeOf(pack);
  const read = store.read.bind(store);
  let nextMs = 0;
  store.read = async (offset, length) => {
    nextMs = Math.max(nextMs, clock.monotonicMs()) + length / BYTES_PER_MS;
    const waitMs = nextMs - clock.monotonicMs();
    await new Promise<void>((resolve) => void clock.after(waitMs, resolve));
    return read(offset, length);
  };
  return store;
}

/**
 * Would catch: a tunnel that lives until its circuit dies, one that is closed before the next is up, blocks that are lost with
 * the change, seeders' circuits that take tunnels with them.
 */
test("one transfer of hours goes on over all rotations, and is never without a tunnel", async (t) => {
  await withWorld(6, async (world, folder) => {
    const pack = samplePack(22 * 1024 * 1024);
    const sharer = await world.newMember(`${folder}/sharer`, { seed: 1 });
    const sharing = sharer.join(await slowStoreOf(pack, world), true);
    assert.ok((await world.until(() => sharing.swarming.gateCount === 2, 60_000)) < 60_000);
    const downloader = await world.newMember(`${folder}/downloader`, { seed: 2 });
    const fetching = downloader.join(new MemoryStore(pack.info));
    const fetched = fetching.fetch();
    fetched.catch(() => {});
    const { swarm } = fetching.swarming;
    const addPeer = swarm.addPeer.bind(swarm);
    let rotations = 0;
    swarm.addPeer = (duplex, options) => {
      if (options.replaces !== undefined) rotations++;
      return addPeer(duplex, options);
    };
    await world.until(() => swarm.stats().peerCount === 1, 60_000);
    const startedMs = world.clock.monotonicMs();
    let fewest = Infinity;
    let most = 0;
    const isDone = (): boolean => swarm.stats().complete;
    while (!isDone() && world.clock.monotonicMs() - startedMs < 8 * HOUR_MS) {
      await world.pass(20_000, 10_000, () => {
        const { peerCount } = swarm.stats();
        if (isDone()) return;
        fewest = Math.min(fewest, peerCount);
        most = Math.max(most, peerCount);
      });
    }
    const tookMs = world.clock.monotonicMs() - startedMs;
    assert.ok(isDone(), `${swarm.stats().haveCount} of ${pack.info.pieceCount} pieces`);
    const arrived = await swarm.source().read(0, pack.bytes.length);
    assert.ok(arrived.equals(pack.bytes));
    assert.ok(fewest >= 1, "there was a moment without a tunnel");
    // One through each of the seeder's gates, since it is slow; then each is replaced before it goes.
    assert.ok(most >= 3, "the next tunnel was not there before the old one went");
    assert.ok(rotations >= 3 && rotations <= 20, `${rotations} rotations`);
    const circuits = downloader.built.filter(({ role }) => role === "downloader").length;
    assert.ok(circuits <= 80, `${circuits} circuits to gates`);
    const wasted = swarm.stats().downloadedBytes - pack.bytes.length;
    // What each new tunnel asks for while nobody knows yet how slow the seeder is.
    assert.ok(wasted < pack.bytes.length / 8, `${wasted} bytes came twice`);
    t.diagnostic(
      `${(tookMs / HOUR_MS).toFixed(1)} h with ${rotations} rotations and ${circuits} circuits to gates, ${wasted} bytes twice`,
    );
  });
});
