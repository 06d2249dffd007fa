import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../src/base/clock.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import type { HopTarget } from "../../src/circuit/stream.ts";
import type { ChosenGate } from "../../src/tunnel/gate-choice.ts";
import { HOUR_MS, newSeeder, newShare } from "./fixtures.ts";
import { newTown, pass, settle } from "./town.ts";

/** Would catch: a seeder that builds as many circuits as gates kill, each another chance to have its second hops, and in the end its guard, beside a hostile relay. */
test("a seeder's circuits are bounded, however many gates kill them", async () => {
  const town = newTown(120);
  const share = newShare();
  let isHostile = true;
  const killing = setInterval(() => {
    if (!isHostile) return;
    for (const { circuits } of town.gates) for (const circuit of circuits.splice(0)) circuit.destroy();
  }, 0);
  const { presence } = town.seed(share, newSeeder(share.sharerKeys), {});
  try {
    await pass(town.clock, 60_000, 2_000);
    assert.ok(
      town.opened.length >= LIMITS.rebuildBurst,
      `${town.opened.length} circuits: too few to show anything`,
    );
    await pass(town.clock, HOUR_MS - 60_000, 10_000);
    const most = LIMITS.rebuildBurst + HOUR_MS / LIMITS.rebuildEveryMs;
    assert.ok(town.opened.length <= most, `${town.opened.length} circuits in an hour, not ${most}`);
    isHostile = false;
    await pass(town.clock, 10 * 60_000, 10_000);
    await settle();
    assert.equal(presence.gateCount, 2, "it never came back");
  } finally {
    clearInterval(killing);
    presence.close();
  }
});

/** A town of gates, and a seeder whose circuits to a gate that it names take until `isThere`. */
function slowTown(isThere: () => Promise<void>) {
  const town = newTown(6);
  const share = newShare();
  const saves: string[][] = [];
  const openGateCircuit = async (wanted: HopTarget | undefined, avoid: ReadonlySet<string>) => {
    if (wanted !== undefined) await isThere();
    const free = town.gates.find(({ name }) => !avoid.has(name));
    const target = wanted ?? free?.target;
    if (target === undefined) throw new BackroomError("E_NETWORK_TOO_SMALL", "no gate is left");
    return { circuit: await town.openTo(target), gate: target };
  };
  const save = (gates: readonly ChosenGate[]): void =>
    void saves.push(gates.map(({ gate }) => gate.nodeKey.toString("hex")));
  const { presence } = town.seed(share, newSeeder(share.sharerKeys), {
    openGateCircuit,
    gates: { saved: [], save },
  });
  const gatesOfShare = (): string[] =>
    town.gates.filter(({ gate }) => gate.registrations > 0).map(({ name }) => name);
  return { town, presence, saves, gatesOfShare };
}

/** Would catch: a run that ends while its guard is away, after which the share is shown to gates that have not seen it yet. */
test("gates that are gone back to are remembered before they are reached", async () => {
  const { town, presence, saves, gatesOfShare } = slowTown(() =>
    Promise.reject(new BackroomError("E_UNREACHABLE", "no guard answers")),
  );
  await pass(town.clock, 5 * 60_000, 10_000);
  const before = gatesOfShare();
  assert.equal(before.length, 2);
  const count = saves.length;
  for (const { circuits } of town.gates) for (const circuit of circuits) circuit.destroy();
  await pass(town.clock, 5 * 60_000, 1_000);
  assert.equal(presence.gateCount, 0);
  assert.deepEqual(
    saves.slice(count).filter((names) => !before.every((name) => names.includes(name))),
    [],
  );
  presence.close();
});

/** Would catch: a third gate that sees the share, once a circuit broke while the one in its place was being built. */
test("a circuit that breaks while it is being replaced leaves the share at two gates", async () => {
  let isThere = Promise.resolve();
  const { town, presence, gatesOfShare } = slowTown(() => isThere);
  await pass(town.clock, 2_000, 1_000);
  const before = gatesOfShare();
  const { promise, resolve } = Promise.withResolvers<void>();
  isThere = promise;
  // Circuits are made anew within the hour: both wait by then.
  await pass(town.clock, HOUR_MS, 10_000);
  assert.equal(presence.gateCount, 2);
  for (const { circuits } of town.gates) circuits.at(-1)?.destroy();
  await pass(town.clock, 60_000, 1_000);
  resolve();
  await pass(town.clock, 60_000, 1_000);
  assert.equal(gatesOfShare().length, 2);
  assert.equal(presence.gateCount, 2);
  assert.equal(before.length, 2);
  presence.close();
});

/** Would catch: a computer that is woken twice a second for each share since there is no second gate. */
test("a seeder that can have no second gate looks for one now and then, and is not busy with it", async () => {
  const town = newTown(1);
  const share = newShare();
  let timers = 0;
  const clock: Clock = {
    nowMs: () => town.clock.nowMs(),
    monotonicMs: () => town.clock.monotonicMs(),
    after(ms, run) {
      timers++;
      return town.clock.after(ms, run);
    },
  };
  const { presence } = town.seed(share, newSeeder(share.sharerKeys), { clock });
  await pass(town.clock, 30 * 60_000, 1_000);
  assert.equal(presence.gateCount, 1);
  timers = 0;
  await pass(town.clock, 20 * 60_000, 500);
  assert.ok(timers <= 20 * 20, `${timers} timers in 20 minutes`);
  presence.close();
});
