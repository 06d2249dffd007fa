import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  biasVerdict,
  countCircuit,
  NO_COUNTS,
  type BiasCounts,
  type BiasKind,
} from "../../src/directory/path-bias.ts";
import { seededRandom } from "./fixtures.ts";

/** Circuits through one guard, of which that share succeeds; gives the verdicts on the way. */
function verdictsOf(kind: BiasKind, share: number, circuits: number, seed: number): string[] {
  const random = seededRandom(seed);
  let counts: BiasCounts = NO_COUNTS;
  return Array.from({ length: circuits }, () => {
    counts = countCircuit(counts, kind, random.below(1000) < share * 1000);
    return biasVerdict(counts);
  });
}

/** Would catch: thresholds that chance crosses, and then every guard is replaced sooner or later. */
test("a guard through which nine of ten circuits succeed is never suspected, in 5,000 circuits", () => {
  for (const kind of ["build", "use"] as const) {
    for (let seed = 1; seed <= 5; seed++) {
      assert.deepEqual([...new Set(verdictsOf(kind, 0.9, 5000, seed))], ["fine"]);
    }
  }
});

test("a guard that kills most circuits is suspected, then replaced; one that turned so after years, too", () => {
  for (const kind of ["build", "use"] as const) {
    assert.equal(verdictsOf(kind, 0.1, 40, 2).at(-1), "hostile");
    assert.ok(verdictsOf(kind, kind === "build" ? 0.4 : 0.5, 200, 3).includes("suspicious"));
    let counts: BiasCounts = NO_COUNTS;
    for (let good = 0; good < 10_000; good++) counts = countCircuit(counts, kind, true);
    let bad = 0;
    for (; biasVerdict(counts) !== "hostile"; bad++) counts = countCircuit(counts, kind, false);
    assert.ok(bad < 500, `${bad} circuits until it was noticed`);
  }
});

test("a few failures prove nothing, doubtful ones less", () => {
  let counts: BiasCounts = NO_COUNTS;
  for (let times = 0; times < 19; times++) counts = countCircuit(counts, "build", false);
  assert.equal(biasVerdict(counts), "fine");
  counts = NO_COUNTS;
  for (let times = 0; times < 79; times++) counts = countCircuit(counts, "build", false, 0.25);
  assert.equal(biasVerdict(counts), "fine");
  assert.equal(biasVerdict(countCircuit(counts, "build", false, 0.25)), "hostile");
});

test("counts stay bounded and never say more successes than circuits", () => {
  const circuit = fc.tuple(fc.constantFrom<BiasKind>("build", "use"), fc.boolean(), fc.constantFrom(0.25, 1));
  fc.assert(
    fc.property(fc.array(circuit, { maxLength: 2000 }), (circuits) => {
      let counts: BiasCounts = NO_COUNTS;
      for (const [kind, isSuccess, weight] of circuits)
        counts = countCircuit(counts, kind, isSuccess, weight);
      assert.ok(counts.built <= counts.attempts && counts.answered <= counts.uses);
      assert.ok(counts.attempts <= 200 && counts.uses <= 200);
    }),
    { numRuns: 50 },
  );
});
