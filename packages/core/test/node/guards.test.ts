import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { silentLog } from "../../src/base/log.ts";
import { related } from "../../src/directory/subnets.ts";
import { openDataFolder } from "../../src/node/data-folder.ts";
import { Guards } from "../../src/node/guards.ts";
import { PathStore } from "../../src/node/path-store.ts";
import { NETWORK, plainInfo, seededRandom } from "../directory/fixtures.ts";
import { withFolder } from "../store/temporary.ts";
import { ManualClock } from "../support/manual-clock.ts";

const DAY_MS = 24 * 3600 * 1000;
/** Relays of as many /24s. */
const relays = Array.from({ length: 60 }, (_, index) => plainInfo(index + 1, `8.${index + 1}.8.8`));
const keys = (list: readonly { readonly key: string }[]): string[] => list.map(({ key }) => key);

function newGuards(seed: number, clock = new ManualClock()): Guards {
  return new Guards([], { network: NETWORK, clock, random: seededRandom(seed) });
}

/** Would catch: new guards for each run, which show one's address to every relay within some evenings. */
test("guards are the same in the next run, for months, and then others, not all on one day", async () => {
  await withFolder(async (root) => {
    const folder = await openDataFolder(root);
    const clock = new ManualClock();
    const open = (seed: number): Promise<PathStore> =>
      PathStore.open(folder, NETWORK, { clock, random: seededRandom(seed), log: silentLog });
    const first = await open(1);
    const chosen = keys(first.guards.among(relays));
    assert.equal(chosen.length, 3);
    await first.save();
    const untils = first.guards.list().map(({ untilMs }) => untilMs);
    assert.equal(new Set(untils.map((ms) => Math.floor(ms / DAY_MS))).size, 3, "they go on one day");
    clock.advance(100 * DAY_MS);
    const second = await open(2);
    assert.deepEqual(keys(second.guards.among(relays.toReversed())), chosen);
    assert.deepEqual(
      second.guards.joinRelays().map(({ nodeKey }) => nodeKey.toString("hex")),
      chosen,
    );
    clock.advance(36 * DAY_MS);
    const later = keys((await open(3)).guards.among(relays));
    assert.ok(!chosen.some((key) => later.includes(key)), "a guard was kept for longer than it may be");

    const file = path.join(folder.networks, "00000007.paths");
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, -3));
    assert.deepEqual((await open(4)).guards.joinRelays(), []);
  });
});

/** Would catch: a guard that a clock in the future keeps for years. */
test("a guard that was noted while the clock was wrong is kept no longer than any", () => {
  const clock = new ManualClock();
  const early = newGuards(1, clock);
  early.among(relays);
  const saved = early.list().map((guard) => ({ ...guard, untilMs: guard.untilMs + 1000 * DAY_MS }));
  const guards = new Guards(saved, { network: NETWORK, clock, random: seededRandom(2) });
  clock.advance(136 * DAY_MS);
  assert.deepEqual(guards.joinRelays(), []);
});

/** Would catch: an outage, or a hostile relay that fakes one, walks a member through all guards there are. */
test("however often no guard answers, a member enters through few relays", () => {
  const clock = new ManualClock();
  const guards = newGuards(5, clock);
  const met = new Set(keys(guards.among(relays)));
  for (let outage = 0; outage < 50; outage++) {
    for (const key of keys(guards.among(relays))) guards.failed(key);
    guards.takeMore(relays);
    for (const { key } of guards.among(relays)) met.add(key);
    clock.advance(3_600_000);
  }
  assert.equal(met.size, 9);
  assert.equal(guards.takeMore(relays), false);
});

/** Would catch: a guard that was replaced, and that nobody tries any more, whose end counts as the beginning of an outage. */
test("how long all guards have been away does not depend on one that was replaced", () => {
  const clock = new ManualClock();
  const guards = newGuards(6, clock);
  const [first = "", ...others] = keys(guards.among(relays));
  guards.worked(first);
  guards.replace(first);
  const inUse = keys(guards.among(relays));
  assert.ok(others.every((key) => inUse.includes(key)) && !inUse.includes(first));
  for (const key of inUse) guards.failed(key);
  clock.advance(59_000);
  guards.failed(first);
  clock.advance(1_000);
  assert.equal(guards.takeMore(relays), true);
});

/** Would catch: a laptop that enters by three more relays each time that it wakes up, until it has met nine; or one whose guards are all gone, and that waits for them for good. */
test("a line that is dead for a moment costs no further guard; all guards gone for a minute do", () => {
  const clock = new ManualClock();
  const guards = newGuards(6, clock);
  const fail = (): void => {
    for (const { key } of guards.among(relays)) guards.failed(key);
  };
  const [first = ""] = keys(guards.among(relays));
  guards.worked(first);
  for (let outage = 0; outage < 20; outage++) {
    for (let second = 0; second < 50; second += 10) {
      fail();
      assert.equal(guards.takeMore(relays), false);
      clock.advance(10_000);
    }
    guards.worked(first);
    clock.advance(3_600_000);
  }
  fail();
  clock.advance(60_000);
  fail();
  assert.equal(guards.takeMore(relays), true);
  // These have not been tried for a minute yet, and there may be more where one has just come.
  const before = guards.among(relays).length;
  fail();
  assert.equal(guards.takeMore(relays), false);
  assert.equal(guards.among(relays).length, before);
  // Where nothing has worked yet it is not waited for.
  const fresh = newGuards(6, clock);
  for (const { key } of fresh.among(relays)) fresh.failed(key);
  assert.equal(fresh.takeMore(relays), true);
});

/** Would catch: a guard that is away for a day is forgotten, or one that is gone keeps a place for ever. */
test("a guard that is away stands in again when it is back; those that are gone make room", () => {
  const guards = newGuards(6);
  const [first = ""] = keys(guards.among(relays));
  const without = relays.filter(({ key }) => key !== first);
  const standIns = keys(guards.among(without));
  assert.equal(standIns.length, 3);
  assert.equal(keys(guards.among(relays))[0], first);
  let left = relays;
  for (let wave = 0; wave < 6; wave++) {
    const going = new Set(keys(guards.among(left)));
    left = left.filter(({ key }) => !going.has(key));
    assert.ok(guards.among(left).length >= 3);
  }
});

/** Would catch: two primary guards of one operator, chosen apart from each other, or moved together since. */
test("in random tables no two of the primary guards share a subnet", () => {
  const place = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 3 }));
  const table = fc.array(place, { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(table, fc.nat(), fc.nat(), (places, seed, gone) => {
      const infos = places.map(([net, host], index) => plainInfo(index + 1, `8.8.${net}.${host}`));
      const guards = newGuards(seed);
      for (const list of [infos, infos.filter((_, index) => index !== gone % infos.length), infos]) {
        for (const { key } of guards.among(list)) if (seed % 2 === 0) guards.failed(key);
        guards.takeMore(list);
        const ranked = guards.among(list);
        const independent = new Set(
          list.flatMap(({ endpoints }) => endpoints.map(({ host }) => host.slice(0, -2))),
        );
        const primary = ranked.slice(0, Math.min(3, independent.size));
        for (const [index, one] of primary.entries()) {
          assert.ok(!primary.slice(index + 1).some((other) => related(one, other, NETWORK)));
        }
      }
    }),
  );
});

test("of guards that have moved into one subnet since they were chosen, the later one stands in", () => {
  const guards = newGuards(3);
  const [first, second, third] = keys(guards.among(relays)) as [string, string, string];
  const moved = relays.map((relay) =>
    relay.key === second
      ? { ...relay, endpoints: (relays.find(({ key }) => key === first) ?? relay).endpoints }
      : relay,
  );
  assert.deepEqual(keys(guards.among(moved)), [first, third, second]);
});

/** Would catch: a guard that is tried again with every circuit, or never; an own outage that is held against guards for minutes. */
test("a guard that did not answer is left alone for a while, and all at once tried again when the network is back", () => {
  const clock = new ManualClock();
  const guards = newGuards(7, clock);
  const [first = "", second = "", third = ""] = keys(guards.among(relays));
  guards.worked(first);
  const waitMs = (key: string): number => (guards.retryAtMs(key) ?? NaN) - clock.monotonicMs();
  for (let failure = 0; failure < 6; failure++) {
    guards.failed(first);
    assert.equal(waitMs(first), 5_000 * 2 ** failure);
    clock.advance(waitMs(first));
    assert.ok(
      guards.down().has(first),
      "a circuit would wait for a guard of which nobody knows whether it is back",
    );
  }
  // The second one works: the first is really down, and stays in its turn.
  guards.failed(first);
  clock.advance(1000);
  guards.worked(second);
  guards.failed(first);
  assert.equal(waitMs(first), 600_000);
  // All fail, then one works: it was this computer.
  clock.advance(1000);
  for (const key of [second, third]) guards.failed(key);
  clock.advance(1000);
  guards.worked(third);
  assert.equal(waitMs(second), 0);
  assert.deepEqual([...guards.down()], [first, second]);
  guards.worked(first);
  assert.deepEqual([...guards.down()], [second]);
  assert.deepEqual(keys(guards.among(relays)), [first, second, third]);
});

/** Would catch: a hostile guard that makes room for the next one when it is found out, again and again. */
test("a guard that lets too few circuits succeed is replaced for good, and only so often", async () => {
  await withFolder(async (root) => {
    const folder = await openDataFolder(root);
    const clock = new ManualClock();
    const store = await PathStore.open(folder, NETWORK, { clock, random: seededRandom(8), log: silentLog });
    const { guards } = store;
    const met = new Set<string>();
    for (let found = 0; found < 30; found++) {
      const [guard = ""] = keys(guards.among(relays));
      met.add(guard);
      const verdicts = Array.from({ length: 25 }, () => guards.count(guard, "build", false)).filter(Boolean);
      if (found < 9) assert.deepEqual(verdicts, ["hostile"]);
      if (found < 9) assert.equal(guards.replace(guard), true);
      if (found === 0) {
        await store.save();
        const again = await PathStore.open(folder, NETWORK, {
          clock,
          random: seededRandom(9),
          log: silentLog,
        });
        assert.ok(!keys(again.guards.among(relays)).includes(guard), "forgotten in the next run");
      }
    }
    assert.ok(met.size <= 9, `${met.size} guards`);
    assert.ok(guards.among(relays).length > 0, "nobody is left to enter by");
  });
});

/** Would catch: two programs of one member that each choose guards, and overwrite each other's. */
test("two processes that start at once end up with the same guards", async () => {
  await withFolder(async (root) => {
    const folder = await openDataFolder(root);
    const clock = new ManualClock();
    const open = (seed: number) =>
      PathStore.open(folder, NETWORK, { clock, random: seededRandom(seed), log: silentLog });
    const [one, two] = await Promise.all([open(1), open(2)]);
    const chosen = keys(one.guards.among(relays));
    two.guards.among(relays);
    await one.save();
    await two.save();
    assert.deepEqual(keys(two.guards.among(relays)).slice(0, 3), chosen);
    two.guards.replace(chosen[0] ?? "");
    await two.save();
    await one.save();
    assert.ok(!keys(one.guards.among(relays)).includes(chosen[0] ?? ""));
  });
});
