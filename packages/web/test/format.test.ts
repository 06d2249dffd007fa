import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { de } from "../src/messages/de.ts";
import { en } from "../src/messages/en.ts";
import { formatBytes, formatDuration, formatRate, fraction, showable } from "../src/parts/format.ts";

test("amounts read as on a disk's label, in the language's digits", () => {
  assert.equal(formatBytes(0, en), "0 B");
  assert.equal(formatBytes(999, en), "999 B");
  assert.equal(formatBytes(1000, en), "1.0 kB");
  assert.equal(formatBytes(1_234_567, en), "1.2 MB");
  assert.equal(formatBytes(1_234_567, de), "1,2 MB");
  assert.equal(formatBytes(999_600, en), "1.0 MB");
  assert.equal(formatBytes(5e15, en), "5,000 TB");
  assert.equal(formatRate(4_200_000, en), "4.2 MB/s");
});

test("times show their two largest parts", () => {
  assert.equal(formatDuration(0), "0 s");
  assert.equal(formatDuration(59), "59 s");
  assert.equal(formatDuration(3600), "1 h");
  assert.equal(formatDuration(3725), "1 h 2 min");
  assert.equal(formatDuration(90_061), "1 d 1 h");
});

test("progress is between nothing and all, also before anything is known", () => {
  assert.equal(fraction({ doneBytes: 0, totalBytes: 0 }), 0);
  assert.equal(fraction({ doneBytes: 5, totalBytes: 4 }), 1);
  assert.equal(fraction({ doneBytes: 1, totalBytes: 4 }), 0.25);
});

/** Would catch: a name that turns around what stands behind it, or that ends a line. */
test("no text of a stranger keeps a character that cannot be seen", () => {
  assert.equal(showable("photo\u202egnp.exe"), "photo\ufffdgnp.exe");
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point)) }),
      (text) => {
        assert.doesNotMatch(showable(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      },
    ),
  );
});
