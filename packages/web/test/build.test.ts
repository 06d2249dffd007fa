import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const DIST = path.join(import.meta.dirname, "../dist");
const MOST_BYTES = 170_000;
const html = readFileSync(path.join(DIST, "index.html"), "utf8");

/** Would catch: a library, or a page that is not seen first, in what everybody loads before anything is seen. */
test("the first load takes at most 170 kB of compressed scripts", (t) => {
  const scripts = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map(
    ([, name]) => name as string,
  );
  const sizes = scripts.map((name) => gzipSync(readFileSync(path.join(DIST, name)), { level: 9 }).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  t.diagnostic(`${scripts.length} scripts, ${total} bytes`);
  assert.ok(scripts.length > 0);
  assert.ok(total <= MOST_BYTES, `${total} bytes`);
});

/** Would catch: a page that the content security policy would break, or that tells somebody else that it was opened. */
test("the document holds no script or style of its own, and names no other place", () => {
  assert.doesNotMatch(html, /<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/i);
  for (const [, place] of html.matchAll(/(?:src|href)="([^"]*)"/g)) assert.match(place ?? "", /^\/[^/]/);
});
