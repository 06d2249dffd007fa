import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "@backroom/core/base/random.ts";
import fc from "fast-check";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { ContentUrls } from "../../src/http/content-url.ts";
import { presentationOf } from "../../src/http/media-type.ts";

const urls = new ContentUrls({ clock: new ManualClock(), random: systemRandom });
const path = fc.string({ unit: "grapheme", minLength: 1 });

test("an address leads to the file that it was made for, whatever that is called", () => {
  fc.assert(
    fc.property(path, (path) => {
      const place = { transferId: "abcdefgh12345678", path };
      const { target } = urls.sign(place);
      // As browsers would send it.
      const sent = new URL(target, "http://127.0.0.1:1").pathname;
      assert.deepEqual(urls.check(sent), place);
    }),
  );
});

test("an address that was changed anywhere leads nowhere", () => {
  const { target } = urls.sign({ transferId: "abcdefgh12345678", path: "a/b c.txt" });
  for (let at = 0; at < target.length; at++) {
    for (const letter of "01aABQw%/?.~") {
      const changed = target.slice(0, at) + letter + target.slice(at + 1);
      if (changed === target) continue;
      assert.throws(() => urls.check(changed), { code: "E_CONTENT_URL" }, changed);
    }
  }
  assert.throws(() => urls.check(target.replace("%2F", "%2f")), { code: "E_CONTENT_URL" });
});

test("nothing that can hold a script is shown, under whatever name", () => {
  for (const ending of [
    "html",
    "HTM",
    "xhtml",
    "svg",
    "xml",
    "pdf",
    "js",
    "mhtml",
    "swf",
    "hta",
    "",
    "constructor",
    "__proto__",
  ]) {
    const { type, disposition } = presentationOf(`folder.png/x.${ending}`);
    assert.equal(type, "application/octet-stream", ending);
    assert.ok(disposition.startsWith("attachment; "), ending);
  }
  fc.assert(
    fc.property(path, (name) => {
      const { disposition } = presentationOf(name);
      assert.match(disposition, /^(inline|attachment); filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]*$/);
    }),
  );
});
