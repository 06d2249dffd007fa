import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteDuplex } from "../../src/base/duplex.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { newSeeder, newShare, type TestShare } from "./fixtures.ts";
import { findAll, newTown, pass, settle } from "./town.ts";

/** As many as one circuit may be for, both epochs of each near a turn counted. */
const GROUP = LIMITS.gateRegistrationsPerCircuit / 2;

function group(shareCount: number, gateCount = 3) {
  const town = newTown(gateCount);
  const shares = Array.from({ length: shareCount }, newShare);
  const first = shares[0] as TestShare;
  const { all, place, tunnels } = town.seed(first, newSeeder(first.sharerKeys));
  const came = new Map<TestShare, ByteDuplex[]>([[first, tunnels]]);
  const add = (share: TestShare) => {
    const tunnelsOf: ByteDuplex[] = [];
    came.set(share, tunnelsOf);
    const onTunnel = (tunnel: ByteDuplex): void => void tunnelsOf.push(tunnel);
    return all.add({ ...share, seederKeys: newSeeder(share.sharerKeys), onTunnel });
  };
  const places = [place, ...shares.slice(1).map(add)];
  return { town, shares, places, came, all, add };
}

/** Would catch: thousands of shares that need thousands of circuits. */
test("a group of shares is at two gates over two circuits, and each of them is found", async () => {
  const { town, shares, places, came } = group(GROUP);
  await settle(200);
  assert.equal(town.opened.length, 2);
  assert.ok(places.every(({ gateCount, lease }) => gateCount === 2 && lease !== undefined));
  for (const share of [shares[0], shares[GROUP - 1]] as TestShare[]) {
    const [found] = await findAll(town.finderFor(share), 1);
    await settle();
    assert.deepEqual([found?.isSharers, came.get(share)?.length], [true, 1]);
    found?.tunnel.close();
  }
});

test("who joins a group later is registered, who leaves it is not found any more, and the others stay", async () => {
  const { town, shares, places, add } = group(3);
  await settle();
  const late = newShare();
  const place = add(late);
  await settle();
  assert.equal(place.gateCount, 2);
  places[1]?.leave();
  await settle();
  assert.deepEqual(
    [...places, place].map(({ gateCount }) => gateCount),
    [2, 0, 2, 2],
  );
  assert.equal(town.opened.length, 2, "no circuit was built for any of that");
  await assert.rejects(findAll(town.finderFor(shares[1] as TestShare), 1), { code: "E_NO_SEEDERS" });
  assert.equal((await findAll(town.finderFor(late), 1)).length, 1);
});

/** Would catch: one crowded topic that drives a group of sixty from gate to gate. */
test("a share that is refused while others are taken is left out, and costs the others nothing", async () => {
  const { town, places, add } = group(2, 2);
  await settle();
  const crowded = newShare();
  const crowd = Array.from({ length: LIMITS.gateSharerLeases }, () =>
    town.seed(crowded, newSeeder(crowded.sharerKeys)),
  );
  await settle(100);
  assert.ok(crowd.every(({ presence }) => presence.gateCount === 2));
  const circuitsBefore = town.opened.length;
  const place = add(crowded);
  await pass(town.clock, 10 * 60_000);
  assert.deepEqual(
    [...places, place].map(({ gateCount }) => gateCount),
    [2, 2, 0],
  );
  assert.equal(town.opened.length, circuitsBefore);
  for (const { presence } of crowd) presence.close();
  await pass(town.clock, 40 * 60_000);
  assert.equal(place.gateCount, 2, "it is offered again after a while");
});

test("a group outlives the hourly renewal of its circuits and the loss of a gate", async () => {
  const { town, places } = group(8, 3);
  await settle(50);
  await pass(town.clock, 70 * 60_000);
  assert.ok(places.every(({ gateCount }) => gateCount === 2));
  const used = new Set(town.opened);
  const lost = town.gates.find(({ name }) => used.has(name));
  assert.ok(lost !== undefined);
  lost.up = false;
  for (const circuit of lost.circuits) circuit.destroy();
  await pass(town.clock, 10 * 60_000);
  assert.ok(places.every(({ gateCount }) => gateCount === 2));
});
