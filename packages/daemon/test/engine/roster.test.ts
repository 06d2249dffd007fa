import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { GROUP_SHARES, GROUPS_ON_AIR, OWN_MOST, Roster } from "../../src/engine/roster.ts";

const idsOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `share-${n}`);

function rosterOf(count: number): Roster {
  const roster = new Roster();
  for (const id of idsOf(count)) roster.add(id, "standard");
  return roster;
}

test("few shares have circuits of their own, all the time", () => {
  const roster = rosterOf(OWN_MOST);
  assert.deepEqual([roster.own().length, roster.onAir(0), roster.turnCount()], [OWN_MOST, [], 1]);
});

test("a share that is fetched gets circuits of its own, and the one that was active longest ago gives them up", () => {
  const roster = rosterOf(OWN_MOST + 1);
  assert.deepEqual(
    roster.onAir(0).map(({ ids }) => ids),
    [["share-0"]],
  );
  roster.touch("share-0");
  assert.ok(roster.own().includes("share-0"));
  assert.deepEqual(
    roster.onAir(0).map(({ ids }) => ids),
    [["share-1"]],
  );
  roster.touch("share-5");
  roster.remove("share-0");
  assert.equal(roster.own().length, OWN_MOST);
  assert.deepEqual(roster.onAir(0), []);
});

/** Would catch: shares that no turn ever reaches, or a group that a gate refuses, or circuits for which the guard has no room. */
test("whatever came and went, all are registered within a round of turns, and none twice at a time", () => {
  const change = fc.record({
    what: fc.constantFrom("add", "remove", "touch"),
    of: fc.nat({ max: 900 }),
    profile: fc.constantFrom("standard" as const, "strong" as const),
  });
  fc.assert(
    fc.property(fc.nat({ max: 800 }), fc.array(change, { maxLength: 60 }), (count, changes) => {
      const roster = rosterOf(count);
      for (const { what, of, profile } of changes) {
        const id = `share-${of}`;
        if (what === "touch") roster.touch(id);
        else if (what === "remove") roster.remove(id);
        else roster.add(id, profile);
      }
      const seen = new Set<string>(roster.own());
      for (let turn = 0; turn < roster.turnCount(); turn++) {
        const groups = roster.onAir(turn);
        assert.ok(groups.length <= GROUPS_ON_AIR);
        const now = [...roster.own(), ...groups.flatMap(({ ids }) => ids)];
        assert.equal(new Set(now).size, now.length);
        assert.ok(groups.every(({ ids }) => ids.length <= GROUP_SHARES));
        for (const id of now) seen.add(id);
      }
      assert.equal(seen.size, roster.size);
    }),
    { numRuns: 50 },
  );
});

test("shares that want three relays are never in a group of those with two", () => {
  const roster = rosterOf(100);
  for (const id of idsOf(20)) roster.add(`strong-${id}`, "strong");
  for (const id of idsOf(100)) roster.touch(id);
  for (const { profile, ids } of roster.onAir(0)) {
    assert.ok(ids.every((id) => id.startsWith("strong-") === (profile === "strong")));
  }
});

test("circuits, those that replace them included, leave room for downloads at the guard", () => {
  assert.ok(2 * (OWN_MOST + GROUPS_ON_AIR) <= LIMITS.circuitsPerClient * 0.6);
  assert.ok(2 * GROUP_SHARES <= LIMITS.gateRegistrationsPerCircuit);
});
