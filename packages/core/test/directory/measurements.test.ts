import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LIMITS } from "../../src/base/limits.ts";
import { Measurements } from "../../src/directory/measurements.ts";
import { relayWeights } from "../../src/directory/weights.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { plainInfo, plainInfos, publicHost } from "./fixtures.ts";

const DAY_MS = 24 * 3600 * 1000;
const relays = plainInfos(20);
const keyOf = (index: number): string => relays[index % relays.length]?.key ?? "";

/** What a member may measure, in any order: which relay, what, how much, and how long after the one before. */
const event = fc.record({
  relay: fc.nat(19),
  isRate: fc.boolean(),
  value: fc.double({ min: 0, max: 1e9, noNaN: true }),
  afterMs: fc.integer({ min: 0, max: 5 * DAY_MS }),
});

function measured(events: readonly (typeof event extends fc.Arbitrary<infer T> ? T : never)[]) {
  const clock = new ManualClock();
  const all = new Measurements(clock);
  for (const { relay, isRate, value, afterMs } of events) {
    clock.advance(afterMs);
    if (isRate) all.noteRate(keyOf(relay), value);
    else all.noteJoin(keyOf(relay), value);
  }
  return { all, clock };
}

/** Would catch: a weight of 0 or infinity, which is never or always picked, and a clip that a second kind of measurement gets around. */
test("whatever is measured and claimed, weights lie between a quarter and four", () => {
  const claims = fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 100 }), claims, (events, kib) => {
      const infos = relays.map((relay, index) => ({ ...relay, bandwidthKiB: kib[index] ?? 0 }));
      const weights = relayWeights(infos, measured(events).all.standings());
      assert.equal(weights.size, relays.length);
      for (const weight of weights.values()) assert.ok(weight >= 1 / 4 && weight <= 4, `${weight}`);
    }),
  );
});

/** Would catch: a liar that stands on more paths for what it says of itself. */
test("a claim above that of a good home changes nothing, and one that was not measured weighs no more than the median", () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 60 }),
      fc.nat(19),
      fc.nat(0xffff_f000),
      (events, index, more) => {
        const standings = measured(events).all.standings();
        const lied = relays.map((relay, at) =>
          at === index ? { ...relay, bandwidthKiB: relay.bandwidthKiB + more } : relay,
        );
        const [honest, liar] = [relayWeights(relays, standings), relayWeights(lied, standings)];
        assert.equal(liar.get(keyOf(index)), honest.get(keyOf(index)));
        const stranger = plainInfo(900, publicHost(900), { bandwidthKiB: 1000 + more });
        assert.ok((relayWeights([...relays, stranger], standings).get(stranger.key) ?? 9) <= 1);
      },
    ),
  );
});

/** Would catch: a bound that is the attacker's to set, once it has most of what a member knows. */
test("however many claim however much, a good home's claim weighs as much as theirs", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1000, max: 0xffff_ffff }),
      (count, claim) => {
        const liars = Array.from({ length: count }, (_, at) =>
          plainInfo(900 + at, publicHost(900 + at), { bandwidthKiB: claim }),
        );
        const weights = relayWeights([...relays, ...liars]);
        assert.deepEqual(new Set(weights.values()), new Set([1]));
      },
    ),
  );
});

test("relays that carry more weigh more, and small ones that say so less", () => {
  const all = new Measurements(new ManualClock());
  for (let times = 0; times < 10; times++) {
    for (let index = 0; index < 9; index++) all.noteRate(keyOf(index), 1e6);
    all.noteRate(keyOf(9), 8e6);
    all.noteRate(keyOf(10), 1e5);
  }
  const modest = relays.map((relay, index) => (index === 11 ? { ...relay, bandwidthKiB: 500 } : relay));
  const weights = relayWeights(modest, all.standings());
  const of = (index: number): number => weights.get(keyOf(index)) ?? NaN;
  assert.ok(of(9) > 2.5 && of(10) < 0.4, `${of(9)} and ${of(10)}`);
  assert.equal(of(0), 1);
  assert.equal(of(11), 0.5);
});

/** Would catch: a relay that is wonderful once, to whoever measures it, and has the most weight that there is from then on. */
test("one measurement, however good, wins less than many", () => {
  const all = new Measurements(new ManualClock());
  for (let times = 0; times < 10; times++) {
    for (let index = 0; index < 9; index++) {
      all.noteRate(keyOf(index), 1e6);
      all.noteJoin(keyOf(index), 1000);
    }
  }
  all.noteRate(keyOf(9), 1e12);
  all.noteJoin(keyOf(10), 1);
  const weights = relayWeights(relays, all.standings());
  // A third of what would be four, and a third of what would be two.
  for (const [index, most] of [
    [9, 1.6],
    [10, 1.3],
  ] as const) {
    const weight = weights.get(keyOf(index)) ?? NaN;
    assert.ok(weight > 1.2 && weight < most, `${index}: ${weight}`);
  }
});

/** Would catch: a relay that bought its weight once and lives on it, and one that was slow once and is never tried again. */
test("what was measured long ago counts for little", () => {
  const clock = new ManualClock();
  const all = new Measurements(clock);
  for (let times = 0; times < 20; times++) {
    for (let index = 0; index < 9; index++) all.noteRate(keyOf(index), 1e6);
    all.noteRate(keyOf(9), 8e6);
  }
  const weight = (): number => relayWeights(relays, all.standings()).get(keyOf(9)) ?? NaN;
  const before = weight();
  clock.advance(30 * DAY_MS);
  assert.ok(before > 3 && weight() < 1.1, `${before}, then ${weight()}`);
});

test("relays measured longest ago are forgotten, and what is saved comes back within the bound", () => {
  const clock = new ManualClock();
  const all = new Measurements(clock);
  const many = plainInfos(LIMITS.measuredRelays + 50);
  for (const { key } of many) {
    all.noteJoin(key, 10);
    clock.advance(1);
  }
  all.noteRate(many[60]?.key ?? "", 1000);
  assert.equal(all.size, LIMITS.measuredRelays);
  assert.equal(all.wasSeen(many[49]?.key ?? ""), false);
  assert.equal(all.wasSeen(many[50]?.key ?? ""), true);
  const again = new Measurements(clock);
  again.restore(all.entries());
  again.restore(all.entries());
  assert.deepEqual(again.standings(), all.standings());
  clock.advance(DAY_MS + 1);
  assert.equal(again.wasSeen(many[60]?.key ?? ""), false);
});
