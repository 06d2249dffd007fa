import assert from "node:assert/strict";
import { test } from "node:test";
import type { RelayInfo } from "../../src/directory/relay-info.ts";
import { related } from "../../src/directory/subnets.ts";
import type { CircuitRole } from "../../src/node/circuits.ts";
import { FRAME, frameType } from "../../src/net/frame.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { NETWORK } from "../directory/fixtures.ts";
import { samplePack, storeOf, type SamplePack } from "../swarm/fixtures.ts";
import { withWorld, type MemberWorld, type WorldRelay } from "./member-world.ts";

type WorldMember = Awaited<ReturnType<MemberWorld["newMember"]>>;

/** A world with one member, whose choices repeat. */
async function withMember(
  relayCount: number,
  run: (world: MemberWorld, member: WorldMember, folder: string) => Promise<void>,
): Promise<void> {
  await withWorld(relayCount, async (world, folder) => {
    await run(world, await world.newMember(`${folder}/member`, { seed: 7 }), folder);
  });
}

/** The path of a circuit that is built now and let go, and how much time of the world that took. */
async function built(
  world: MemberWorld,
  member: WorldMember,
  want: CircuitRole,
  avoid?: ReadonlySet<string>,
): Promise<{ path: readonly RelayInfo[]; tookMs: number }> {
  const opening = member.client.open(want, avoid);
  let isDone = false;
  opening.then(
    () => (isDone = true),
    () => (isDone = true),
  );
  const tookMs = await world.until(() => isDone, 60_000);
  const { circuit, path } = await opening;
  circuit.destroy();
  return { path, tookMs };
}

async function entersBy(
  world: MemberWorld,
  member: WorldMember,
): Promise<{ guard: WorldRelay; tookMs: number }> {
  const { path, tookMs } = await built(world, member, { role: "lookup" });
  return { guard: world.relayOf(path[0]), tookMs };
}

/** A share of which the sharer hands out 16 KiB in some ten milliseconds of the world, so that a download is caught in the middle. */
async function startDownload(world: MemberWorld, folder: string, pack: SamplePack) {
  const store = await storeOf(pack);
  const read = store.read.bind(store);
  store.read = async (offset, length) => {
    await new Promise<void>((resolve) => void world.clock.after(length / 1600, resolve));
    return read(offset, length);
  };
  const sharer = await world.newMember(`${folder}/sharer`, { seed: 5 });
  const sharing = sharer.join(store, true);
  await world.until(() => sharing.swarming.gateCount === 2, 60_000);
  // Of two leases of one second the first counts.
  await world.pass(10_000);
  const downloader = await world.newMember(`${folder}/downloader`, { seed: 2 });
  const fetching = downloader.join(new MemoryStore(pack.info));
  fetching.fetch().catch(() => {});
  const { swarm } = fetching.swarming;
  await world.until(() => swarm.stats().haveCount > 3, 60_000);
  return { sharer, downloader, swarm };
}

/** Would catch: a download that waits for a dead guard, tries it again and again, or gives up. */
for (const [how, go] of [
  ["dies", (_: MemberWorld, guard: WorldRelay) => guard.kill()],
  ["vanishes without a word", (world: MemberWorld, guard: WorldRelay) => world.silence(guard)],
] as const)
  test(`a member whose guard ${how} in the middle of a download is back through another within 3 s`, async (t) => {
    await withWorld(9, async (world, folder) => {
      const pack = samplePack(4 * 1024 * 1024);
      const { sharer, downloader, swarm } = await startDownload(world, folder, pack);
      const [first] = downloader.circuits.guards();
      assert.notEqual(first, sharer.circuits.guards()[0], "both members would lose their guard");
      const before = swarm.stats().downloadedBytes;
      go(world, world.relayOf(first));
      const tookMs = await world.until(() => swarm.stats().downloadedBytes > before + 65_536, 10_000, 50);
      t.diagnostic(`data came again ${tookMs} ms after the guard had gone`);
      assert.ok(tookMs < 3_000, `${tookMs} ms`);
      const latest = downloader.built.findLast(({ role }) => role === "downloader");
      assert.notEqual(latest?.path[0]?.key, first?.key);
      await world.until(() => swarm.stats().complete, 120_000, 500);
      assert.ok((await swarm.source().read(0, pack.bytes.length)).equals(pack.bytes));
    });
  });

/** Would catch: a seeder that dials its dead guard for ever, since the others are gates that refused it, or broke, and that it goes to no more for half an hour. */
test("a seeder whose guard died enters by a relay that is only not wanted as its gate", async () => {
  await withMember(9, async (world, member) => {
    const [first, ...others] = member.circuits.guards();
    assert.ok(others.length > 0);
    assert.equal((await built(world, member, { role: "seeder" })).path[0], first);
    world.relayOf(first).kill();
    const avoid = new Set(others.map(({ key }) => key));
    const { path } = await built(world, member, { role: "seeder" }, avoid);
    assert.ok(avoid.has(path[0]?.key ?? ""), "it entered by none of its guards");
    assert.ok(!avoid.has(path.at(-1)?.key ?? ""), "its gate is one that it avoids");
  });
});

/** Would catch: a seeder that nobody reaches for an hour, since its guard lets nothing through that it does not wait for. */
test("a seeder whose guard swallows data after the registration is at gates through another one within minutes", async (t) => {
  await withWorld(16, async (world, folder) => {
    const sharer = await world.newMember(`${folder}/sharer`, { seed: 5 });
    const sharing = sharer.join(await storeOf(samplePack(65_536)), true);
    await world.until(() => sharing.swarming.gateCount === 2, 60_000);
    const [guard] = sharer.circuits.guards();
    const pathOfLast = (): readonly RelayInfo[] | undefined =>
      sharer.built.findLast(({ role }) => role === "seeder")?.path;
    assert.equal(pathOfLast()?.[0], guard);
    const swallowed: ReadonlySet<number> = new Set([FRAME.data, FRAME.shortData]);
    world.wires.tap = (frame, _, link) =>
      link.listenerKey.equals(guard?.nodeKey ?? frame) && swallowed.has(frameType(frame)) ? undefined : frame;
    const isBack = (): boolean => sharing.swarming.gateCount === 2 && pathOfLast()?.[0] !== guard;
    const tookMs = await world.until(isBack, 30 * 60_000, 5_000);
    t.diagnostic(`at two gates again ${Math.round(tookMs / 1000)} s after its guard began`);
    assert.ok(isBack());
  });
});

/** Would catch: a guard that is gone without a word, which costs every new circuit ten seconds. */
test("a guard that does not answer at all costs a moment, and is not asked again with each circuit", async () => {
  await withMember(8, async (world, member) => {
    const [first, second] = member.circuits.guards();
    world.silence(world.relayOf(first));
    const one = await entersBy(world, member);
    assert.equal(one.guard.info.key, second?.key);
    assert.ok(one.tookMs < 3_000, `${one.tookMs} ms`);
    await world.pass(15_000);
    const two = await entersBy(world, member);
    assert.equal(two.guard.info.key, second?.key);
    assert.ok(two.tookMs < 1_000, `${two.tookMs} ms`);
  });
});

/** Would catch: ten seconds for each relay of a table that has been switched off, and those are more than a quarter where tables hold everybody. */
test("a relay behind the guard that is silent costs three seconds, and is left out of what is built meanwhile", async (t) => {
  await withMember(9, async (world, member) => {
    const guards = member.circuits.guards().map(({ key }) => key);
    // Nobody has a channel to it: what is silent on one is noticed sooner.
    const silent = world.relays.find(({ info }) => !guards.includes(info.key));
    assert.ok(silent !== undefined);
    world.silence(silent);
    const opened: Awaited<ReturnType<typeof built>>[] = [];
    // Drawn at random, so it takes a few until the silent one is met.
    while (opened.length < 30 && (opened.at(-1)?.tookMs ?? 0) < 3_000) {
      opened.push(await built(world, member, { role: "directory" }));
    }
    const [slow] = opened.slice(-1) as [(typeof opened)[0]];
    t.diagnostic(`the ${opened.length}th circuit took ${slow.tookMs} ms`);
    assert.ok(slow.tookMs >= 3_000 && slow.tookMs < 5_000, `${slow.tookMs} ms`);
    assert.ok(opened.every((circuit) => circuit.path.every((relay) => relay !== silent.info)));
    // For a minute nobody is sent there again.
    for (let more = 0; more < 5; more++) {
      const { tookMs } = await built(world, member, { role: "directory" });
      assert.ok(tookMs < 3_000, `${tookMs} ms`);
    }
  });
});

/**
 * Would catch: a member of a small network that dials a relay that is off for two minutes, since all other scouts have been asked, or all its other second hops are
 * not wanted as gates.
 */
test("whoever is off is left out before anybody who is only not wanted there", async (t) => {
  await withMember(9, async (world, member) => {
    const guards = member.circuits.guards().map(({ key }) => key);
    const { path } = await built(world, member, { role: "seeder" });
    const silent = world.relayOf(path[1]);
    world.silence(silent);
    const others = world.relays.map(({ info }) => info.key).filter((key) => key !== silent.info.key);
    const lookup = await built(world, member, { role: "lookup", notLast: new Set(others) });
    t.diagnostic(`the scout took ${lookup.tookMs} ms`);
    assert.ok(lookup.tookMs < 5_000, `${lookup.tookMs} ms`);
    const notGates = new Set(others.filter((key) => !guards.includes(key)));
    const seeding = await built(world, member, { role: "seeder" }, notGates);
    t.diagnostic(`the gate took ${seeding.tookMs} ms`);
    assert.ok(seeding.tookMs < 5_000, `${seeding.tookMs} ms`);
    assert.ok(!notGates.has(seeding.path.at(-1)?.key ?? ""), "a gate that was not wanted");
    assert.ok(![...lookup.path, ...seeding.path].includes(silent.info));
  });
});

/** Would catch: a member that stays with a stand-in for good, and so shows itself to more relays with every outage. */
test("when the first guard is back, new circuits go through it again", async () => {
  await withMember(8, async (world, member) => {
    const { guard } = await entersBy(world, member);
    guard.kill();
    assert.notEqual((await entersBy(world, member)).guard, guard);
    guard.start();
    await world.pass(6_000);
    assert.equal((await entersBy(world, member)).guard, guard);
  });
});

/** Would catch: an offline spell that makes a member choose new guards, or holds it against those that it has. */
test("a member that was offline has the guards that it had, and nothing against them", async () => {
  await withMember(12, async (world, member) => {
    await entersBy(world, member);
    const before = member.circuits.guards().map(({ key }) => key);
    for (const relay of world.relays) relay.kill();
    for (let tries = 0; tries < 4; tries++) await assert.rejects(entersBy(world, member));
    for (const relay of world.relays) relay.start();
    await world.pass(2_000);
    await entersBy(world, member);
    await world.pass(60_000);
    const { guard } = await entersBy(world, member);
    assert.equal(guard.info.key, before[0]);
    assert.deepEqual(
      member.circuits.guards().map(({ key }) => key),
      before,
    );
    assert.deepEqual(
      member.store.guards.list().filter(({ counts }) => counts.built < counts.attempts),
      [],
    );
    assert.deepEqual(member.warnings, []);
  });
});

/** Would catch: a gate that sees a kept set of a downloader's, or ever new second hops of a seeder's; subnets met twice in a path. */
test("a seeder's second hops are few and outlive a restart, a downloader's are fresh for every circuit", async () => {
  await withMember(24, async (world, member, folder) => {
    const [gate] = world.relays.slice(-1).map(({ info }) => info);
    const secondsOf = async (one: WorldMember, role: "seeder" | "downloader"): Promise<string[]> => {
      const met: string[] = [];
      for (let times = 0; times < 16; times++) {
        const { path } = await built(world, one, { role, gate: gate as RelayInfo });
        // Relays bound how many circuits one neighbour may begin.
        await world.pass(1_000, 1_000);
        met.push(path[1]?.key ?? "");
        for (const [index, relay] of path.entries()) {
          assert.ok(!path.slice(index + 1).some((other) => related(relay, other, NETWORK)));
        }
      }
      return met;
    };
    const kept = new Set(await secondsOf(member, "seeder"));
    assert.ok(kept.size >= 2 && kept.size <= 4, `${kept.size} second hops`);
    const fresh = await secondsOf(member, "downloader");
    assert.ok(new Set(fresh).size >= 8, `${new Set(fresh).size} second hops in 16 circuits`);
    await member.close();
    const again = await world.newMember(`${folder}/member`, { seed: 8 });
    for (const key of await secondsOf(again, "seeder"))
      assert.ok(kept.has(key), "another one after a restart");
  });
});

/** Would catch: a guard that chooses which circuits live, and is kept for months all the same. */
test("a guard that lets circuits only go where it likes is found out, and replaced", async () => {
  await withMember(16, async (world, member) => {
    const { guard } = await entersBy(world, member);
    // It cuts every circuit that it should extend to a relay that is not its own.
    const theirs = world.relays.filter((relay) => relay !== guard).slice(0, 2);
    const refusing = (key: Buffer): boolean => !theirs.some(({ info }) => info.nodeKey.equals(key));
    world.refuse(guard, refusing);
    for (let times = 0; times < 60 && member.warnings.length < 2; times++) {
      await entersBy(world, member).catch(() => {});
      await world.pass(60_000, 10_000);
    }
    assert.equal(member.warnings.length, 2, member.warnings.join("\n"));
    assert.match(member.warnings[0] ?? "", /^Unusually few circuits succeed/);
    assert.match(member.warnings[1] ?? "", /not used any more/);
    assert.notEqual((await entersBy(world, member)).guard, guard);
    assert.ok(member.store.guards.list().some(({ replaced }) => replaced));
  });
});

/** Would catch: a member that stays cut off, one attempt after the other, because its first guard answers and lets nothing through. */
test("behind a guard through which nothing can be built three paths are tried, then another guard", async () => {
  await withMember(16, async (world, member) => {
    const { guard } = await entersBy(world, member);
    world.refuse(guard, () => true);
    assert.notEqual((await entersBy(world, member)).guard, guard);
  });
});

/** Would catch: a gate, which was somebody else's choice, that has a member build circuit after circuit in one go, each over another second hop. */
test("a gate that never joins costs two paths, not five", async () => {
  await withWorld(16, async (world, folder) => {
    let failed = 0;
    const log = (_level: string, event: string): void =>
      void (event === "a circuit could not be built" && failed++);
    const member = await world.newMember(`${folder}/member`, { seed: 7, log });
    await entersBy(world, member);
    const gate = world.relays.find(
      ({ info }) => !member.store.guards.list().some(({ relay }) => relay.nodeKey.equals(info.nodeKey)),
    );
    assert.ok(gate !== undefined);
    gate.kill();
    const before = failed;
    await assert.rejects(built(world, member, { role: "downloader", gate: gate.info }), {
      code: "E_CIRCUIT",
    });
    assert.equal(failed - before, 2);
  });
});
