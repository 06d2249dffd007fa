import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { placeOf } from "../src/state/place.ts";

test("a fragment names a page, what it is about, and what is asked", () => {
  assert.deepEqual(
    { ...placeOf("#/transfer/abc"), query: undefined },
    { name: "transfer", argument: "abc", query: undefined },
  );
  assert.equal(placeOf("#/open?link=web%2Bbackroom%3Aabc").query.get("link"), "web+backroom:abc");
  assert.equal(placeOf("").name, "");
});

/** Would catch: an address that somebody else wrote and that breaks the page. */
test("whatever stands in the address, there is a place", () => {
  fc.assert(fc.property(fc.string(), (text) => void placeOf(`#/${text}`)));
});
