import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualTime } from "../../../../scripts/sim/virtual-time.ts";
import type { ByteDuplex } from "../../src/base/duplex.ts";
import { RateLimit } from "../../src/base/rate-limit.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { SwarmLimits } from "../../src/swarm/swarm.ts";
import type { WorldRelay } from "../support/circuit-world.ts";
import { createFarWorld, inTime, pass } from "../support/far-world.ts";
import { newSeeder, newShare } from "../tunnel/fixtures.ts";
import { findAll, newTownIn, servicesOf } from "../tunnel/town.ts";
import { connect, memberOf, samplePack, storeOf, type Member } from "./fixtures.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

function newLimits(clock: VirtualTime): SwarmLimits {
  return { download: new RateLimit(clock), upload: new RateLimit(clock) };
}

/** Bytes a second that came to each member in that time. */
async function ratesOf(clock: VirtualTime, ms: number, members: readonly Member[]): Promise<number[]> {
  const bytes = (): number[] => members.map(({ swarm }) => swarm.stats().downloadedBytes);
  const before = bytes();
  await pass(clock, ms);
  return bytes().map((now, index) => ((now - (before[index] ?? 0)) / ms) * 1000);
}

async function rateOf(clock: VirtualTime, ms: number, member: Member): Promise<number> {
  const [rate = 0] = await ratesOf(clock, ms, [member]);
  return rate;
}

function assertNear(rate: number, wanted: number): void {
  assert.ok(Math.abs(rate - wanted) <= 0.1 * wanted, `${Math.round(rate)} B/s instead of ${wanted}`);
}

/**
 * Would catch: a limit that a path with delay does not reach, or that bursts of requests exceed; one that takes hold only when the window has turned;
 * peers that count as stalled because they were asked for nothing.
 */
test("a download over circuits is as fast as its limit, also when that is changed in the middle", async () => {
  const lossless = { delayMs: 20, bytesPerMs: 12_500, lateShare: 0, lateMs: 0, windowBytes: 8 * MIB };
  const world = createFarWorld({ relayCount: 5 }, () => lossless);
  const { clock } = world;
  const hopOf = (number: number) => (world.relays[number] as WorldRelay).target;
  const paths = [
    [1, 2, 0],
    [3, 4, 0],
  ];
  const town = newTownIn(clock, [hopOf(0)], {
    makeCircuit: () => buildCircuit(world.newClient(), (paths.shift() ?? []).map(hopOf)),
  });
  const [gate] = town.gates as [(typeof town.gates)[0]];
  Object.assign((world.relays[0] as WorldRelay).services, servicesOf(gate));
  const share = newShare();
  const { presence, tunnels } = town.seed(share, newSeeder(share.sharerKeys));
  await pass(clock, 30_000, () => gate.gate.registrations === 1);
  const [found] = await inTime(clock, findAll(town.finderFor(share), 1));

  const pack = samplePack(32 * MIB);
  const limits = newLimits(clock);
  limits.download.rate = MIB;
  const seeder = memberOf(await storeOf(pack), { clock });
  const leecher = memberOf(new MemoryStore(pack.info), { clock, limits });
  seeder.swarm.addPeer(tunnels[0] as ByteDuplex, { initiator: false });
  leecher.swarm.addPeer(found?.tunnel as ByteDuplex, { initiator: true });
  await pass(clock, 2_000);
  assertNear(await rateOf(clock, 8_000, leecher), MIB);
  assert.ok(leecher.swarm.stats().isHeldBack);
  limits.download.rate = 2 * MIB;
  await pass(clock, 500);
  assertNear(await rateOf(clock, 5_000, leecher), 2 * MIB);
  limits.download.rate = 256 * KIB;
  await pass(clock, 500);
  assertNear(await rateOf(clock, 5_000, leecher), 256 * KIB);
  limits.download.rate = null;
  await inTime(clock, leecher.complete);
  assert.deepEqual(
    leecher.dropped.filter((code) => code !== ""),
    [],
  );
  for (const { swarm } of [seeder, leecher]) swarm.close();
  presence.close();
});

/** A download of a share of its own from so many seeders, none of which is limited. */
async function startDownload(clock: VirtualTime, seeders: number, limits: SwarmLimits): Promise<Member> {
  const pack = samplePack(24 * MIB);
  const leecher = memberOf(new MemoryStore(pack.info), { clock, limits });
  for (let number = 0; number < seeders; number++) {
    connect(leecher, memberOf(await storeOf(pack), { clock }));
  }
  return leecher;
}

/** Would catch: a limit for each share, or one that whoever has most peers takes for itself. */
test("downloads share one limit evenly, however many peers each has", async () => {
  const clock = new VirtualTime();
  const limits = newLimits(clock);
  limits.download.rate = MIB;
  const [many, one] = [await startDownload(clock, 6, limits), await startDownload(clock, 1, limits)];
  await pass(clock, 1_000);
  for (const rate of await ratesOf(clock, 10_000, [many, one])) assertNear(rate, MIB / 2);
  many.swarm.close();
  // What one does not take goes to the other.
  await pass(clock, 500);
  assertNear(await rateOf(clock, 5_000, one), MIB);
  one.swarm.close();
});

/** Would catch: a limit for each share or peer; a queue that nobody empties at its turn; leechers that give up on a slow seeder. */
test("whoever fetches from here shares the upload limit evenly, and it is kept when it is changed", async () => {
  const clock = new VirtualTime();
  const limits = newLimits(clock);
  limits.upload.rate = 512 * KIB;
  const leechers: Member[] = [];
  for (let number = 0; number < 4; number++) {
    const pack = samplePack(8 * MIB);
    const leecher = memberOf(new MemoryStore(pack.info), { clock });
    connect(leecher, memberOf(await storeOf(pack), { clock, limits }));
    leechers.push(leecher);
  }
  await pass(clock, 1_000);
  for (const rate of await ratesOf(clock, 10_000, leechers)) assertNear(rate, 128 * KIB);
  limits.upload.rate = 2 * MIB;
  await pass(clock, 500);
  for (const rate of await ratesOf(clock, 5_000, leechers)) assertNear(rate, 512 * KIB);
  limits.upload.rate = null;
  await pass(clock, 1_000);
  assert.ok(leechers.every(({ store }) => store.complete));
  for (const { swarm } of leechers) swarm.close();
});

/** Would catch: blocks that wait for a limit and count as owed, or a window so large that a slow line takes minutes to answer it. */
test("at 16 KiB a second, either way, nobody takes a peer for stalled and drops it", async () => {
  for (const side of ["download", "upload"] as const) {
    const clock = new VirtualTime();
    const limits = newLimits(clock);
    limits[side].rate = 16 * KIB;
    const pack = samplePack(8 * MIB);
    const leechers: Member[] = [];
    const seeder = memberOf(await storeOf(pack), { clock, ...(side === "upload" ? { limits } : {}) });
    for (let number = 0; number < 3; number++) {
      const leecher = memberOf(new MemoryStore(pack.info), {
        clock,
        ...(side === "download" ? { limits } : {}),
      });
      connect(leecher, seeder);
      leechers.push(leecher);
    }
    await pass(clock, 10_000);
    const rates = await ratesOf(clock, 300_000, leechers);
    assertNear(
      rates.reduce((sum, rate) => sum + rate),
      16 * KIB,
    );
    assert.deepEqual(seeder.dropped, [], side);
    for (const { swarm, dropped } of leechers) {
      assert.deepEqual(dropped, [], side);
      swarm.close();
    }
    seeder.swarm.close();
  }
});
