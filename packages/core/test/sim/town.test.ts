import assert from "node:assert/strict";
import { test } from "node:test";
import { measureTown } from "../../../../scripts/sim/town-run.ts";

test("a network in which every member runs the whole protocol: all downloads arrive, and a second run is the same to the last byte", async () => {
  const first = await measureTown({ members: 20, seed: "town" });
  assert.equal(first.complete, first.downloads);
  assert.ok(first.downloads > 0);
  assert.equal(first.known, 1, "every relay knows every other one");
  assert.equal(first.givenUp, 0);
  assert.equal(first.joined, 1);
  // Whoever joins asks three relays, over a circuit of one hop each.
  assert.ok(first.member.hops >= 3, `${first.member.hops} hop handshakes a member`);
  assert.deepEqual(await measureTown({ members: 20, seed: "town" }), first);
});
