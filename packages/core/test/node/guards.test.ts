import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { openDataFolder } from "../../src/node/data-folder.ts";
import { Guards, openGuards, saveGuards } from "../../src/node/guards.ts";
import { plainInfo, seededRandom } from "../directory/fixtures.ts";
import { ManualClock } from "../support/manual-clock.ts";

const DAY_MS = 24 * 3600 * 1000;
const NETWORK = { id: 7, name: "one", test: false, relays: [], bootstrap: [] };
/** Relays of as many /24s. */
const relays = Array.from({ length: 60 }, (_, index) => plainInfo(index + 1, `8.${index + 1}.8.8`));
const keys = (list: readonly { readonly key: string }[]): string[] => list.map(({ key }) => key);

/** Would catch: new guards for each run, which show one's address to every relay within some evenings. */
test("guards are the same in the next run, for months, and then others", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "backroom-guards-"));
  try {
    const folder = await openDataFolder(root);
    const clock = new ManualClock();
    const open = (seed: number): Promise<Guards> =>
      openGuards(folder, NETWORK, { clock, random: seededRandom(seed) });
    const first = await open(1);
    const chosen = keys(first.among(relays));
    assert.equal(chosen.length, 3);
    await saveGuards(folder, NETWORK, first);
    clock.advance(80 * DAY_MS);
    const second = await open(2);
    assert.deepEqual(keys(second.among(relays.toReversed())), chosen);
    assert.deepEqual(
      second.joinRelays().map(({ nodeKey }) => nodeKey.toString("hex")),
      chosen,
    );
    clock.advance(11 * DAY_MS);
    assert.notDeepEqual(keys((await open(3)).among(relays)), chosen);

    const file = path.join(folder.networks, "00000007.guards");
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, -3));
    assert.deepEqual((await open(4)).joinRelays(), []);
  } finally {
    await rm(root, { recursive: true });
  }
});

/** Would catch: an outage, or a hostile relay that fakes one, walks a member through all guards there are. */
test("however often no guard answers, a member enters through few relays", () => {
  const guards = new Guards([], { network: NETWORK, clock: new ManualClock(), random: seededRandom(5) });
  const met = new Set(keys(guards.among(relays)));
  for (let outage = 0; outage < 50; outage++) {
    guards.takeMore(relays, met);
    for (const { key } of guards.among(relays)) met.add(key);
  }
  assert.equal(met.size, 9);
  assert.equal(guards.takeMore(relays, met), false);
});

/** Would catch: a guard that is away for a day is forgotten, or one that is gone keeps a place for ever. */
test("a guard that is away stands in again when it is back; those that are gone make room", () => {
  const guards = new Guards([], { network: NETWORK, clock: new ManualClock(), random: seededRandom(6) });
  const [first = ""] = keys(guards.among(relays));
  const without = relays.filter(({ key }) => key !== first);
  const standIns = keys(guards.among(without));
  assert.equal(standIns.length, 3);
  assert.equal(keys(guards.among(relays))[0], first);
  let left = relays;
  for (let wave = 0; wave < 6; wave++) {
    const going = new Set(keys(guards.among(left)));
    left = left.filter(({ key }) => !going.has(key));
    assert.equal(guards.among(left).length, 3);
  }
});
