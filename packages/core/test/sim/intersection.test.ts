import assert from "node:assert/strict";
import { test } from "node:test";
import { intersect, TARGETS } from "../../../../scripts/sim/intersection.ts";
import { seededRandom } from "../../../../scripts/sim/seeded-random.ts";

test("whoever intersects uptimes for long enough is left with the seeder, and hardly ever with somebody else", () => {
  const random = seededRandom("hunt");
  const [evening] = TARGETS;
  assert.ok(evening !== undefined);
  const hunts = Array.from({ length: 40 }, () => intersect(200, evening, random, 60));
  const right = hunts.filter((hunt) => hunt.foundRightOne).length;
  assert.ok(right >= 38, `${right} of 40 hunts ended at the seeder`);
});

test("more relays hide a seeder for longer, and a server for longer than a home computer", () => {
  const days = (relays: number, index: number): number => {
    const random = seededRandom(`days ${relays} ${index}`);
    const target = TARGETS[index];
    assert.ok(target !== undefined);
    const hunts = Array.from({ length: 9 }, () => Math.min(400, intersect(relays, target, random, 400).days));
    return hunts.reduce((sum, value) => sum + value, 0) / hunts.length;
  };
  assert.ok(days(3_000, 0) > days(30, 0));
  assert.ok(days(100, 2) > days(100, 0));
});
