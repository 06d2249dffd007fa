import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { silentLog } from "../../src/base/log.ts";
import { openDataFolder } from "../../src/node/data-folder.ts";
import {
  decodeKeptGates,
  encodeKeptGates,
  openKeptGates,
  removeKeptGates,
} from "../../src/node/kept-gates.ts";
import { hopTarget } from "../../src/directory/relay-info.ts";
import type { ChosenGate } from "../../src/tunnel/gate-choice.ts";
import { plainInfos } from "../directory/fixtures.ts";
import { withFolder } from "../store/temporary.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { HOUR_MS, newSeeder, newShare } from "../tunnel/fixtures.ts";
import { newTown, pass, settle } from "../tunnel/town.ts";

const infos = plainInfos(3);
const until = (info: (typeof infos)[0]) => ({ nodeKey: info.nodeKey, untilMs: 1_800_000_000_000 });

decoderSuite({
  name: "kept gates",
  decode: decodeKeptGates,
  encode: encodeKeptGates,
  samples: [encodeKeptGates([]), encodeKeptGates(infos.map(until))],
});

test("gates come back with the share, where they are still known, and go with its pack", async () => {
  await withFolder(async (root) => {
    const folder = await openDataFolder(root);
    const open = (relays = infos) =>
      openKeptGates({ folder, root: Buffer.alloc(32, 7), log: silentLog, relays: () => relays });
    const first = await open();
    assert.deepEqual(first.saved, []);
    for (const count of [1, 2, 3]) {
      first.save(
        infos.slice(0, count).map((info) => ({ gate: hopTarget(info), untilMs: 1_800_000_000_000 })),
      );
    }
    // The next write waits for those before.
    await removeKeptGates(folder, Buffer.alloc(32, 8));
    for (let tries = 0; (await open()).saved.length < 3 && tries < 200; tries++) await settle();
    const keys = (gates: readonly ChosenGate[]) => gates.map(({ gate }) => gate.nodeKey.toString("hex"));
    assert.deepEqual(
      keys((await open()).saved),
      infos.map(({ key }) => key),
    );
    assert.deepEqual(keys((await open(infos.slice(1))).saved), [infos[1]?.key, infos[2]?.key]);
    first.save([]);
    await removeKeptGates(folder, Buffer.alloc(32, 7));
    assert.deepEqual(await readdir(folder.shares), []);
  });
});

/** Would catch: a seeder that shows itself to two more gates with every restart, or stays at the same ones for ever. */
test("a seeder that restarts goes to the gates that it had, until their day is over", async () => {
  const town = newTown(10);
  const share = newShare();
  let saved: readonly ChosenGate[] = [];
  const start = () => {
    const gates = { saved, save: (list: readonly ChosenGate[]) => void (saved = list) };
    // A picker without memory: it would take others each time.
    const shift = town.gates.shift() as (typeof town.gates)[0];
    town.gates.push(shift);
    return town.seed(share, newSeeder(share.sharerKeys), { gates });
  };
  let running = start();
  await settle();
  const gates = saved.map(({ gate }) => gate.nodeKey.toString("hex"));
  assert.equal(gates.length, 2);
  for (let restart = 0; restart < 5; restart++) {
    running.presence.close();
    await pass(town.clock, HOUR_MS);
    running = start();
    await settle();
    assert.equal(running.presence.gateCount, 2);
    assert.deepEqual(saved.map(({ gate }) => gate.nodeKey.toString("hex")).toSorted(), gates.toSorted());
  }
  running.presence.close();
  await pass(town.clock, 29 * HOUR_MS);
  running = start();
  await settle();
  assert.notDeepEqual(saved.map(({ gate }) => gate.nodeKey.toString("hex")).toSorted(), gates.toSorted());
  running.presence.close();
});
