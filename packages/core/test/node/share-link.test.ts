import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { makeShareLink } from "../../src/node/share-link.ts";
import { plainInfos } from "../directory/fixtures.ts";

/** Node keys of the relays that a link names, of somebody who knows so many, the first of which are guards. */
function namedIn(relayCount: number, guardCount: number): string[] {
  const relays = plainInfos(relayCount);
  const client = { network: { id: 7 }, guards: () => relays.slice(0, guardCount), relays: () => relays };
  const facts = { root: randomBytes(32), length: 1, name: "a", fileBytes: 1, identity: randomBytes(32) };
  const link = makeShareLink(
    { ...facts, sharerFingerprint: randomBytes(16) },
    client as unknown as Parameters<typeof makeShareLink>[1],
  );
  return link.relays.map(({ nodeKey }) => nodeKey.toString("hex"));
}

/** Would catch: a link that tells everybody who has it who sees its sharer; the same relays in all links of a member, by which they belong together. */
test("a link names relays at random, and never a guard of the sharer's", () => {
  const keys = plainInfos(30).map(({ key }) => key);
  const seen = new Map<string, number>();
  for (let links = 0; links < 2000; links++) {
    const named = namedIn(30, 9);
    assert.equal(new Set(named).size, LIMITS.linkRelays);
    for (const key of named) seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  assert.deepEqual([...seen.keys()].toSorted(), keys.slice(9).toSorted());
  // 286 times each, give or take 15.6: five times that is not left to chance.
  for (const [key, count] of seen) assert.ok(Math.abs(count - 286) < 80, `${key}: ${count}`);
});

/** Would catch: a small network in which links name all that could be gates. */
test("where few relays are known, a link leaves most of them to be gates", () => {
  for (const [relays, most] of [
    [3, 1],
    [5, 1],
    [9, 2],
    [12, 3],
  ] as const) {
    assert.equal(namedIn(relays, 3).length, relays === 3 ? 0 : most, `${relays} relays`);
  }
});
