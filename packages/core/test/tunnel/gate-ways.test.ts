import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError, isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import type { Circuit, HopTarget } from "../../src/circuit/stream.ts";
import { GateWays, type GateErrand } from "../../src/tunnel/gate-ways.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { newSeeder, newShare } from "./fixtures.ts";
import { memoryCircuit } from "./memory-circuit.ts";
import { findAll, newTown, pass, settle } from "./town.ts";

const MINUTE_MS = 60_000;

function newGate(): HopTarget {
  const key = systemRandom.bytes(32);
  return { nodeKey: key, onionKey: key, info: key, endpoints: [] };
}

function newWays() {
  const clock = new ManualClock();
  const built: Circuit[] = [];
  const ways = new GateWays({
    clock,
    openGateCircuit: () => {
      const circuit = memoryCircuit({});
      built.push(circuit);
      return Promise.resolve(circuit);
    },
  });
  /** Circuits that may be built for an errand, each of which the gate kills. */
  async function most(errand: GateErrand, gateOf: () => HopTarget): Promise<number> {
    for (let count = 0; count < 1000; count++) {
      try {
        (await ways.take(gateOf(), errand)).circuit.destroy();
      } catch (error) {
        assert.ok(isBackroomError(error, "E_GATE"));
        return count;
      }
    }
    return Infinity;
  }
  return { clock, built, ways, most };
}

/** Would catch: a gate that kills circuits until one goes over a second hop of its own, next to the guard. */
test("one gate causes few circuits, whatever they are for", async () => {
  const { clock, most } = newWays();
  const gate = newGate();
  const burst = (await most("question", () => gate)) + (await most("tunnel", () => gate));
  assert.equal(burst, LIMITS.gateRebuildBurst);
  let inAnHour = 0;
  for (let minute = 0; minute < 60; minute++) {
    clock.advance(MINUTE_MS);
    inAnHour += await most("tunnel", () => gate);
  }
  assert.equal(inAnHour, (60 * MINUTE_MS) / LIMITS.gateRebuildEveryMs);
});

/** Would catch: questions about a seeder that is away that use up what it takes to reach it. */
test("questions and tunnels have budgets of their own, which fill again", async () => {
  const { clock, most } = newWays();
  assert.equal(await most("question", newGate), LIMITS.rebuildBurst);
  assert.equal(await most("tunnel", newGate), LIMITS.rebuildBurst);
  clock.advance(MINUTE_MS);
  assert.equal(await most("question", newGate), MINUTE_MS / LIMITS.questionCircuitEveryMs);
  assert.equal(await most("tunnel", newGate), MINUTE_MS / LIMITS.rebuildEveryMs);
});

/** Would catch: an outage of this computer's that uses up what may be built to a gate once it is over. */
test("what was not begun since no guard answers costs nothing, what failed behind one does", async () => {
  let code: ErrorCode = "E_UNREACHABLE";
  const openGateCircuit = (): Promise<Circuit> => Promise.reject(new BackroomError(code, "no circuit"));
  const ways = new GateWays({ clock: new ManualClock(), openGateCircuit });
  const gate = newGate();
  for (let time = 0; time < 100; time++) await assert.rejects(ways.take(gate, "tunnel"), { code });
  code = "E_CIRCUIT";
  for (let time = 0; time < LIMITS.gateRebuildBurst; time++)
    await assert.rejects(ways.take(gate, "tunnel"), { code });
  await assert.rejects(ways.take(gate, "tunnel"), { code: "E_GATE" });
});

test("a circuit that is put back is used again, until it is dead, old, or was not wanted for long", async () => {
  const { clock, built, ways } = newWays();
  const gate = newGate();
  const terms = { nonce: systemRandom.bytes(16), effort: 3 };
  const first = await ways.take(gate, "question");
  ways.putBack(gate, { ...first, terms });
  const again = await ways.take(gate, "tunnel");
  assert.equal(again.circuit, first.circuit);
  assert.equal(again.terms, terms);
  ways.putBack(gate, again);
  clock.advance(MINUTE_MS);
  ways.release(2 * MINUTE_MS);
  const later = await ways.take(gate, "question");
  assert.equal(later.circuit, first.circuit);
  assert.equal(later.terms, undefined, "the gate's nonce is over by now");
  later.circuit.destroy();
  ways.putBack(gate, later);
  const fresh = await ways.take(gate, "question");
  assert.notEqual(fresh.circuit, first.circuit);
  clock.advance(45 * MINUTE_MS);
  ways.putBack(gate, fresh);
  ways.release(2 * MINUTE_MS);
  assert.equal(fresh.circuit.alive, false, "a circuit that soon takes no streams was kept");
  ways.putBack(gate, await ways.take(gate, "question"));
  clock.advance(2 * MINUTE_MS);
  ways.release(2 * MINUTE_MS);
  assert.ok(built.every(({ alive }) => !alive));
});

/** Would catch: a sharer that is away for minutes and, once it is back, cannot be reached for want of budget. */
test("after ten minutes of looking for a sharer that was away, it is found within a round", async () => {
  const town = newTown(3);
  const share = newShare();
  // Somebody else keeps the gates in the DHT.
  town.seed(share, newSeeder());
  const gone = town.seed(share, newSeeder(share.sharerKeys));
  await pass(town.clock, 30_000);
  const finder = town.finderFor(share);
  await findAll(finder, 2);
  gone.presence.close();
  await settle();
  const isSharers = (seeder: string): boolean =>
    finder.book.list().some((known) => known.isSharers && known.seeder === seeder);
  const before = town.opened.length;
  for (let round = 0; round < 75; round++) {
    await findAll(finder, 1, isSharers).catch(() => []);
    await pass(town.clock, 8_000, 8_000);
  }
  const cost = town.opened.length - before;
  assert.ok(cost <= 40, `${cost} circuits in ten minutes`);
  town.seed(share, newSeeder(share.sharerKeys));
  await pass(town.clock, 16_000, 1_000);
  assert.equal((await findAll(finder, 1, isSharers)).length, 1);
});
