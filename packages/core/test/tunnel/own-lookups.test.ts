import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { serveMessages } from "../../src/circuit/messages.ts";
import { SERVICE, type Circuit, type HopTarget } from "../../src/circuit/stream.ts";
import { SEALED_LEASE_BYTES } from "../../src/tunnel/lease.ts";
import { HOUR_MS, newSeeder, newShare } from "./fixtures.ts";
import { memoryCircuit } from "./memory-circuit.ts";
import { newTown, pass, servicesOf } from "./town.ts";

const MINUTE_MS = 60_000;
const NONCE = Buffer.alloc(16);

/** A town of gates, a seeder in it, and how its own look-ups go: `answer` gives the leases that a gate names, or undefined for all that it has. */
function newWorld(answer: (gate: string) => readonly Buffer[] | undefined, isReached = true) {
  const town = newTown(5);
  const share = newShare();
  const lookUps: { readonly gate: string; readonly atMs: number }[] = [];
  const openLookUpCircuit = ({ nodeKey }: HopTarget): Promise<Circuit> => {
    const gate = town.gates.find(({ target }) => target.nodeKey.equals(nodeKey));
    assert.ok(gate !== undefined);
    lookUps.push({ gate: gate.name, atMs: town.clock.monotonicMs() });
    if (!isReached) return Promise.reject(new BackroomError("E_CIRCUIT", "a hop is away"));
    const leases = answer(gate.name);
    if (leases === undefined) return Promise.resolve(memoryCircuit(servicesOf(gate)));
    const named = { l: [...leases], n: NONCE, w: 0 };
    return Promise.resolve(
      memoryCircuit({ [SERVICE.leases]: (stream) => serveMessages(stream, () => named) }),
    );
  };
  const { presence } = town.seed(share, newSeeder(share.sharerKeys), { openLookUpCircuit });
  const gatesOfShare = (): string[] =>
    town.gates.filter(({ gate }) => gate.registrations > 0).map(({ name }) => name);
  return { town, presence, lookUps, gatesOfShare };
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
  const { town, presence, lookUps, gatesOfShare } = newWorld(() => undefined, false);
  await pass(town.clock, 2_000, 1_000);
  const before = gatesOfShare();
  await pass(town.clock, 12 * HOUR_MS);
  assert.deepEqual(gatesOfShare(), before);
  assert.ok(lookUps.length >= 10 && lookUps.length <= 24, `${lookUps.length} look-ups`);
  presence.close();
});

/** Would catch: whoever crowds a topic and so has a mirror leave its gates. */
test("a gate that names as many others as it may is not left", async () => {
  const others = Array.from({ length: LIMITS.gateLeasesAnswered }, () =>
    systemRandom.bytes(SEALED_LEASE_BYTES),
  );
  const { town, presence, gatesOfShare } = newWorld(() => others);
  await pass(town.clock, 2_000, 1_000);
  const before = gatesOfShare();
  await pass(town.clock, 12 * HOUR_MS);
  assert.deepEqual(gatesOfShare(), before);
  presence.close();
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
