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

/** Would catch: a download that is over and leaves a tunnel to its seeder, which came up late and nobody closes, or goes on to ask gates. */
test("whoever is done with looking leaves no circuit behind, be it at a question or at a tunnel", async () => {
  for (const heldUp of ["question", "tunnel"]) {
    const town = newTown(2);
    const share = newShare();
    const { presence } = town.seed(share, newSeeder(share.sharerKeys));
    await pass(town.clock, 2_000, 1_000);
    const { promise: isThere, resolve } = Promise.withResolvers<void>();
    const circuits: Circuit[] = [];
    let waiting = 0;
    const finder = town.finderFor(share, {
      openGateCircuit: async (gate) => {
        waiting++;
        await isThere;
        const circuit = await town.openTo(gate);
        circuits.push(circuit);
        return circuit;
      },
    });
    if (heldUp === "tunnel") {
      const [place] = town.gates;
      assert.ok(presence.lease !== undefined && place !== undefined);
      finder.book.add(presence.lease.sealed, "peer");
    }
    const round = findAll(finder, 1).catch(() => []);
    await settle();
    assert.ok(waiting > 0);
    finder.close();
    await pass(town.clock, 60_000, 1_000);
    resolve();
    await pass(town.clock, 60_000, 1_000);
    await round;
    assert.equal(circuits.filter(({ alive }) => alive).length, 0, heldUp);
    presence.close();
  }
});

/** Would catch: a look-up that is still with its scouts when its download ends, and goes on to gates and seeders of whom nobody wants anything. */
test("a round that is under way when nobody looks any more builds no further circuit", async () => {
  const town = newTown(2);
  const share = newShare();
  const { presence } = town.seed(share, newSeeder(share.sharerKeys));
  await pass(town.clock, 2_000, 1_000);
  const { promise: areAsked, resolve } = Promise.withResolvers<void>();
  let news = 0;
  const finder = town.finderFor(share, {
    onNews: () => news++,
    askScouts: async () => {
      await areAsked;
      return town.gates.map(({ target }) => target);
    },
  });
  const opened = town.opened.length;
  const round = findAll(finder, 1).catch(() => []);
  await settle();
  finder.close();
  resolve();
  await pass(town.clock, 10_000, 1_000);
  assert.deepEqual(await round, []);
  assert.equal(town.opened.length, opened);
  assert.equal(news, 0);
  presence.close();
});

/** Would catch: a seeder that answers two tunnels of each downloader one of whose circuits is slow, though one of them is closed at once. */
test("of two gates the one whose circuit comes up second opens no tunnel", async () => {
  const town = newTown(2);
  const share = newShare();
  const { presence, tunnels } = town.seed(share, newSeeder(share.sharerKeys));
  await pass(town.clock, 2_000, 1_000);
  const { promise: isThere, resolve } = Promise.withResolvers<void>();
  const circuits: Circuit[] = [];
  let count = 0;
  const finder = town.finderFor(share, {
    openGateCircuit: async (gate) => {
      if (count++ === 0) await isThere;
      const circuit = await town.openTo(gate);
      circuits.push(circuit);
      return circuit;
    },
  });
  assert.ok(presence.lease !== undefined);
  finder.book.add(presence.lease.sealed, "peer");
  const round = findAll(finder, 1);
  await settle();
  await pass(town.clock, 3_000, 1_000);
  assert.equal((await round).length, 1);
  resolve();
  await settle();
  assert.equal(circuits.length, 2);
  assert.equal(tunnels.length, 1);
  assert.equal(circuits.filter(({ alive }) => alive).length, 1);
  finder.close();
  presence.close();
});
