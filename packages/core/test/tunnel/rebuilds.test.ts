import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
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
