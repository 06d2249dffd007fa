import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { mostActivePieces } from "../../src/swarm/active-piece.ts";

const KIB = 1024;

/** Would catch: a download of a large pack that holds gigabytes, one of a small pack with a list of everything, and one with a piece at a time. */
test("pieces under way fit the memory that is meant for them, a few large ones aside", () => {
  assert.equal(mostActivePieces(64 * KIB), LIMITS.swarmActiveMost);
  assert.equal(mostActivePieces(1024 * KIB), LIMITS.swarmActiveBytes / (1024 * KIB));
  assert.equal(mostActivePieces(128 * 1024 * KIB), LIMITS.swarmActiveLeast);
});
