import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance, nearest } from "../../src/settings/nearest.ts";
import { SETTING_KEYS } from "../../src/settings/setting-table.ts";

test("what was most likely meant", () => {
  const meant = [
    ["page.prot", "page.port"],
    ["pageport", "page.port"],
    ["Page.Port", "page.port"],
    ["download.folder", "downloads.folder"],
    ["folder", "downloads.folder"],
    ["network.porxy", "network.proxy"],
    ["proxy", "network.proxy"],
    ["loglevel", "log.level"],
    ["risk.accept", "risk.accepted"],
    ["quite.different", undefined],
    ["", undefined],
  ] as const;
  for (const [given, wanted] of meant) assert.equal(nearest(given, SETTING_KEYS), wanted, given);
});

const word = fc.string({ maxLength: 8, unit: fc.constantFrom("a", "b", ".") });

test("the distance is nothing for the same word only, the same both ways, and one for one slip of the finger", () => {
  fc.assert(
    fc.property(word, word, (one, other) => {
      assert.equal(editDistance(one, other) === 0, one === other);
      assert.equal(editDistance(one, other), editDistance(other, one));
      assert.ok(editDistance(one, other) <= Math.max(one.length, other.length));
    }),
  );
  for (const slip of ["prot", "por", "ports", "port ", "pirt"])
    assert.equal(editDistance("port", slip), 1, slip);
});
