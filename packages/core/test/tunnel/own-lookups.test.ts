import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { serveMessages } from "../../src/circuit/messages.ts";
import { SERVICE, type Circuit, type HopTarget } from "../../src/circuit/stream.ts";
import { askLeases } from "../../src/tunnel/gate-client.ts";
import { GateChoice } from "../../src/tunnel/gate-choice.ts";
import { SEALED_LEASE_BYTES, sealLease, type SeederKeys } from "../../src/tunnel/lease.ts";
import { deriveEpoch, epochsAt, type ShareTopic } from "../../src/tunnel/topic.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { HOUR_MS, newLease, newSeeder, newShare, NOW_MS, type TestShare } from "./fixtures.ts";
import { memoryCircuit } from "./memory-circuit.ts";
import { newTown, pass, servicesOf, settle } from "./town.ts";

const MINUTE_MS = 60_000;
const NONCE = Buffer.alloc(16);

/** A town of gates, a seeder in it, and how its own look-ups go: `answer` gives the leases that a gate names, or undefined for all that it has. */
function newWorld(
  answer: (gate: string) => readonly Buffer[] | undefined,
  options: {
    readonly isReached?: boolean;
    readonly gateCount?: number;
    readonly share?: TestShare;
    readonly seeder?: SeederKeys;
    isReady?(): Promise<void>;
    /** The same of circuits to a gate that the seeder names. */
    isReturnReady?(): Promise<void>;
  } = {},
) {
  const { isReached = true, share = newShare() } = options;
  const town = newTown(options.gateCount ?? 5);
  const lookUps: { readonly gate: string; readonly atMs: number }[] = [];
  const openLookUpCircuit = async ({ nodeKey }: HopTarget): Promise<Circuit> => {
    const gate = town.gates.find(({ target }) => target.nodeKey.equals(nodeKey));
    assert.ok(gate !== undefined);
    lookUps.push({ gate: gate.name, atMs: town.clock.monotonicMs() });
    await options.isReady?.();
    if (!isReached) throw new BackroomError("E_CIRCUIT", "a hop is away");
    const leases = answer(gate.name);
    if (leases === undefined) return memoryCircuit(servicesOf(gate));
    const named = { l: [...leases], n: NONCE, w: 0 };
    return memoryCircuit({ [SERVICE.leases]: (stream) => serveMessages(stream, () => named) });
  };
  const openGateCircuit = async (wanted: HopTarget | undefined, avoid: ReadonlySet<string>) => {
    if (wanted !== undefined) await options.isReturnReady?.();
    const free = town.gates.find(({ name }) => !avoid.has(name));
    const target = wanted ?? free?.target;
    if (target === undefined) throw new BackroomError("E_NETWORK_TOO_SMALL", "no gate is left");
    return { circuit: await town.openTo(target), gate: target };
  };
  const { presence } = town.seed(share, options.seeder ?? newSeeder(share.sharerKeys), {
    openLookUpCircuit,
    openGateCircuit,
  });
  const gatesOfShare = (): string[] =>
    town.gates.filter(({ gate }) => gate.registrations > 0).map(({ name }) => name);
  /** The gates, once it is at two: mirrors do their proof of work first, which takes time of this computer's and none of the town's. */
  const registered = async (): Promise<readonly string[]> => {
    for (let turn = 0; turn < 2_000 && presence.gateCount < 2; turn++) await settle(50);
    assert.equal(presence.gateCount, 2);
    return gatesOfShare();
  };
  return { town, presence, lookUps, gatesOfShare, registered };
}

/** Would catch: a gate that answers its seeder and nobody else, and that a share stays at for a day. */
test("a gate that takes the lease and names it to nobody is left within two minutes, and not gone to again", async () => {
  let hiding: string | undefined;
  const { town, presence, gatesOfShare } = newWorld((gate) => (gate === hiding ? [] : undefined));
  await pass(town.clock, 2_000, 1_000);
  [hiding] = gatesOfShare();
  assert.equal(presence.gateCount, 2);
  await pass(town.clock, 2 * MINUTE_MS, 1_000);
  assert.equal(presence.gateCount, 2);
  await pass(town.clock, 12 * HOUR_MS);
  assert.ok(!gatesOfShare().includes(hiding as string));
  assert.equal(town.opened.filter((name) => name === hiding).length, 1);
  presence.close();
});

/** Would catch: hops that lead a seeder from gate to gate by letting no look-up through. */
test("a look-up that tells nothing changes nothing, and comes again ever more seldom", async () => {
  const { town, presence, lookUps, gatesOfShare } = newWorld(() => undefined, { isReached: false });
  await pass(town.clock, 2_000, 1_000);
  const before = gatesOfShare();
  await pass(town.clock, 12 * HOUR_MS);
  assert.deepEqual(gatesOfShare(), before);
  assert.ok(lookUps.length >= 10 && lookUps.length <= 24, `${lookUps.length} look-ups`);
  presence.close();
});

/** As many leases as an answer holds, of seeders that somebody with the link has made up. */
function crowdOf(share: ShareTopic): Buffer[] {
  const [epoch] = epochsAt(share.topicSecret, NOW_MS) as [number];
  const keys = deriveEpoch(share, epoch);
  const crowd = Array.from({ length: LIMITS.gateLeasesAnswered }, () => newLease(keys));
  return crowd.map((lease) => sealLease(keys, lease, systemRandom));
}

/** Would catch: whoever crowds a topic and so has a mirror leave its gates. */
test("a gate that names as many others as it may is not left by a mirror", async () => {
  const share = newShare();
  const crowd = crowdOf(share);
  const world = newWorld(() => crowd, { share, seeder: newSeeder() });
  const { town, presence, gatesOfShare } = world;
  const before = await world.registered();
  await pass(town.clock, 2 * MINUTE_MS, 1_000);
  assert.deepEqual(gatesOfShare(), before);
  presence.close();
});

/** Would catch: a gate that hides behind a crowd what has a place of its own in each answer. */
test("the sharer leaves a gate that names as many others as it may, and not the sharer", async () => {
  const share = newShare();
  const crowd = crowdOf(share);
  let hiding: string | undefined;
  const world = newWorld((gate) => (gate === hiding ? crowd : undefined), { share });
  [hiding] = await world.registered();
  await pass(world.town.clock, 2 * MINUTE_MS, 1_000);
  assert.ok(!world.gatesOfShare().includes(hiding as string));
  world.presence.close();
});

/** Would catch: a gate that knows no link and hides a lease behind bytes of its own making, or behind an answer that nobody can read. */
test("what a gate made up is neither a full answer nor one that tells nothing", async () => {
  const junk = Array.from({ length: LIMITS.gateLeasesAnswered }, () =>
    systemRandom.bytes(SEALED_LEASE_BYTES),
  );
  for (const answer of [junk, [Buffer.alloc(3)]]) {
    const share = newShare();
    let hiding: string | undefined;
    const world = newWorld((gate) => (gate === hiding ? answer : undefined), { share, seeder: newSeeder() });
    [hiding] = await world.registered();
    await pass(world.town.clock, 2 * MINUTE_MS, 1_000);
    assert.ok(!world.gatesOfShare().includes(hiding as string));
    world.presence.close();
  }
});

/** Would catch: an honest gate that is left for a day since a lease was renewed while it answered. */
test("a lease that is renewed twice while it is looked up is not taken for a hidden one", async () => {
  const share = newShare();
  const [epoch] = epochsAt(share.topicSecret, NOW_MS) as [number];
  const { topic } = deriveEpoch(share, epoch);
  const { promise: isRenewed, resolve } = Promise.withResolvers<void>();
  let named: readonly Buffer[] | undefined;
  const world = newWorld(() => named, { share, isReady: () => isRenewed });
  const { town, presence, lookUps, gatesOfShare } = world;
  while (lookUps.length === 0) await pass(town.clock, 1_000, 1_000);
  const asked = town.gates.find(({ name }) => name === lookUps[0]?.gate);
  assert.ok(asked !== undefined);
  const namedNow = async () => (await askLeases(memoryCircuit(servicesOf(asked)), topic, town.clock)).leases;
  /** The other gate goes, and a renewed lease names the one that comes. */
  const renew = async () => {
    for (const { circuits, name } of town.gates) if (name !== asked.name) circuits.at(-1)?.destroy();
    await pass(town.clock, 5_000, 1_000);
    return namedNow();
  };
  const leases = [await namedNow(), await renew(), await renew()];
  assert.equal(new Set(leases.map(([lease]) => lease?.toString("hex"))).size, 3);
  named = leases[1];
  resolve();
  await pass(town.clock, 1_000, 1_000);
  assert.ok(gatesOfShare().includes(asked.name));
  presence.close();
});

/** Would catch: gates that hide a share, and so have its seeder come back, look itself up and leave, for ever. */
test("a seeder that has no other gate comes back to one that hides it, and looks itself up no more often for it", async () => {
  const world = newWorld(() => [], { gateCount: 2 });
  await pass(world.town.clock, 2 * MINUTE_MS, 1_000);
  assert.equal(world.lookUps.length, 2);
  await pass(world.town.clock, 12 * HOUR_MS);
  assert.equal(world.presence.gateCount, 2);
  assert.ok(world.lookUps.length <= 2 + 2 * 2, `${world.lookUps.length} look-ups`);
  world.presence.close();
});

/** Would catch: a circuit in place of an older one to a gate that turns out to hide the share while it is built. */
test("a circuit that was under way to a gate that hides the share is let go", async () => {
  const { promise: isThere, resolve } = Promise.withResolvers<void>();
  const { promise: isAnswered, resolve: answer } = Promise.withResolvers<void>();
  let before: readonly string[] = [];
  const returnsMs: number[] = [];
  const isReturnReady = (): Promise<void> => {
    returnsMs.push(world.town.clock.monotonicMs());
    return isThere;
  };
  const answers = { isReturnReady, isReady: () => isAnswered };
  const world = newWorld((gate) => (before.includes(gate) ? [] : undefined), answers);
  before = await world.registered();
  while (returnsMs.length === 0) await pass(world.town.clock, 1_000, 1_000);
  answer();
  await settle();
  resolve();
  await pass(world.town.clock, 60_000, 1_000);
  assert.equal(world.presence.gateCount, 2);
  assert.deepEqual(
    world.gatesOfShare().filter((name) => before.includes(name)),
    [],
  );
  world.presence.close();
});

/** Would catch: a hop that lets one circuit fail, and so has a seeder forget which gates hide it. */
test("a circuit that fails has no gate forgiven that hides the share, while there are others", () => {
  const choice = new GateChoice({ clock: new ManualClock(), random: systemRandom });
  choice.noteHidden("hiding");
  choice.avoid("refused");
  choice.forgive(false);
  choice.forgive(false);
  assert.deepEqual([...choice.avoided()], ["hiding"]);
  choice.avoid("refused");
  choice.forgive(true);
  assert.deepEqual([...choice.avoided()], ["hiding"]);
  choice.forgive(true);
  assert.deepEqual([...choice.avoided()], []);
});

/** Would catch: look-ups that come by the clock of the registration, or so often that they show the guard to many second hops. */
test("an honest gate is asked once soon and then a few times a day, each gate at times of its own", async () => {
  const { town, presence, lookUps } = newWorld(() => undefined);
  await pass(town.clock, 2 * MINUTE_MS, 100);
  const [one, other, ...more] = lookUps;
  assert.ok(one !== undefined && other !== undefined && more.length === 0, `${lookUps.length} look-ups`);
  assert.ok(one.gate !== other.gate && one.atMs !== other.atMs);
  await pass(town.clock, 18 * HOUR_MS);
  // A circuit is made anew each hour; that is no reason to ask again.
  assert.ok(lookUps.length <= 2 + 2 * 3, `${lookUps.length} look-ups`);
  presence.close();
  const count = lookUps.length;
  await pass(town.clock, 12 * HOUR_MS);
  assert.equal(lookUps.length, count, "asked after the end");
});

/** Would catch: a gate that breaks the standing circuit whenever it is asked, so that it is asked again by one more second hop each time. */
test("a gate that breaks circuits when it is asked is not asked more often", async () => {
  const { town, presence, lookUps } = newWorld((gate) => {
    for (const { circuits, name } of town.gates) if (name === gate) circuits.at(-1)?.destroy();
    return undefined;
  });
  await pass(town.clock, 12 * HOUR_MS);
  const most = Math.max(...town.gates.map(({ name }) => lookUps.filter(({ gate }) => gate === name).length));
  assert.ok(most <= 12, `${most} look-ups at one gate`);
  presence.close();
});
