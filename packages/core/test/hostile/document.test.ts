import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { hostileDocument } from "../support/hostile-document.ts";

test("docs/HOSTILE_RELAYS.md is what `npm run docs:hostile` makes of the scenarios", () => {
  const path = new URL("../../../../docs/HOSTILE_RELAYS.md", import.meta.url);
  assert.equal(readFileSync(path, "utf8"), hostileDocument());
});
