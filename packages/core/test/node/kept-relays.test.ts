import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptRelays, keyOf } from "../../src/node/kept-relays.ts";
import { SECONDS_RULE } from "../../src/node/path-store.ts";
import { plainInfos, seededRandom } from "../directory/fixtures.ts";
import { ManualClock } from "../support/manual-clock.ts";

const HOUR_MS = 3_600_000;
const relays = plainInfos(20);
const keysOf = (kept: KeptRelays): string[] => kept.list().map(({ relay }) => keyOf(relay));

/** Would catch: second hops that gates see for months, or that change with each day. */
test("a seeder's second hops are kept for three to six days, not all for as long", () => {
  const clock = new ManualClock();
  const kept = new KeptRelays([], SECONDS_RULE, { clock, random: seededRandom(1) });
  kept.add(relays.slice(0, 4), relays);
  clock.advance(3 * 24 * HOUR_MS - 1);
  assert.equal(keysOf(kept).length, 4);
  const counts: number[] = [];
  for (let hours = 0; hours < 3 * 24; hours++) {
    counts.push(keysOf(kept).length);
    clock.advance(HOUR_MS);
  }
  assert.equal(keysOf(kept).length, 0);
  assert.ok(new Set(counts).size > 2, "they all go at once");
});

/** Would catch: a gate that has second hops fail, and meets all relays that there are within days. */
test("however many of them fail, no more than eight are chosen within their time", () => {
  const clock = new ManualClock();
  const kept = new KeptRelays([], SECONDS_RULE, { clock, random: seededRandom(2) });
  const met = new Set<string>();
  for (const relay of relays) {
    kept.add([relay], relays);
    for (const key of keysOf(kept)) met.add(key);
    clock.advance(HOUR_MS);
  }
  assert.equal(met.size, 8);
});
