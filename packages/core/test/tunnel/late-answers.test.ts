import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import type { Circuit } from "../../src/circuit/stream.ts";
import { newSeeder, newShare } from "./fixtures.ts";
import { findAll, newTown, pass, settle } from "./town.ts";

/** Would catch: a sharer behind gates that take four seconds to answer, of whom a member hears when its next round is due, which may be minutes later. */
test("an answer that comes after the round is news once, and the next round needs nobody else", async () => {
  const town = newTown(2);
  const share = newShare();
  const { presence } = town.seed(share, newSeeder(share.sharerKeys));
  await pass(town.clock, 2_000, 1_000);
  const { promise: isThere, resolve } = Promise.withResolvers<void>();
  let news = 0;
  const finder = town.finderFor(share, {
    onNews: () => news++,
    openGateCircuit: async (gate) => {
      await isThere;
      return town.openTo(gate);
    },
  });
  const round = findAll(finder, 1);
  const isOver = assert.rejects(round, (error: unknown) => isBackroomError(error, "E_GATE"));
  await settle();
  await pass(town.clock, 4_000, 1_000);
  await isOver;
  assert.equal(news, 0);
  resolve();
  await settle();
  // Both gates name the same lease, or one a newer one.
  assert.ok(news >= 1 && news <= 2, `${news} times`);
  const found = await findAll(finder, 1);
  assert.equal(found.length, 1);
  finder.close();
  presence.close();
});

/** Would catch: rounds without a pause, which a gate that is slow and has nothing to say could bring about. */
test("an answer that comes after the round and says nothing new is no news", async () => {
  const town = newTown(2);
  const share = newShare();
  const { presence } = town.seed(share, newSeeder(share.sharerKeys));
  await pass(town.clock, 2_000, 1_000);
  let isThere = Promise.resolve();
  const circuits: Circuit[] = [];
  let news = 0;
  const finder = town.finderFor(share, {
    onNews: () => news++,
    openGateCircuit: async (gate) => {
      await isThere;
      const circuit = await town.openTo(gate);
      circuits.push(circuit);
      return circuit;
    },
  });
  const nobody = (): boolean => false;
  await findAll(finder, 1, nobody);
  for (const circuit of circuits) circuit.destroy();
  const { promise, resolve } = Promise.withResolvers<void>();
  isThere = promise;
  await pass(town.clock, 60_000);
  const round = findAll(finder, 1, nobody);
  await settle();
  await pass(town.clock, 5_000, 1_000);
  await round;
  const asked = circuits.length;
  resolve();
  await settle();
  assert.ok(circuits.length > asked, "nobody was asked late");
  assert.equal(news, 0);
  finder.close();
  presence.close();
});
