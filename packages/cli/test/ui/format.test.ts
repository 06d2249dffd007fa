import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { count, formatBytes, formatBytesOf, formatDuration, formatRate } from "../../src/ui/format.ts";
import { showable } from "../../src/ui/showable.ts";
import { wrap } from "../../src/ui/wrap.ts";
import { RateMeter, progressLine } from "../../src/ui/progress.ts";

test("sizes have at most three digits and the unit that fits", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [10 * 1024, "10.0 KiB"],
    [500 * 1024 * 1024, "500 MiB"],
    [2 ** 48, "256 TiB"],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
  assert.equal(formatRate(1536), "1.50 KiB/s");
  assert.equal(formatBytesOf(256 * 1024, 86 * 1024 * 1024), "0.3 of 86.0 MiB");
  assert.equal(formatBytesOf(0, 0), "0 of 0 B");
});

test("durations say what people can use", () => {
  const cases: [number, string][] = [
    [0.2, "under 1 s"],
    [59, "59 s"],
    [61, "1 min 1 s"],
    [3700, "1 h 2 min"],
    [Infinity, "unknown"],
  ];
  for (const [seconds, text] of cases) assert.equal(formatDuration(seconds), text);
  assert.deepEqual(
    [count(1, "file"), count(2000, "file"), count(2, "entry", "entries")],
    ["1 file", "2,000 files", "2 entries"],
  );
});

test("a rate forgets what was long ago, so a transfer that stopped shows as stopped", () => {
  const meter = new RateMeter();
  meter.sample(0, 0, 100);
  assert.equal(meter.sample(1000, 50, 100).rate, 50);
  assert.equal(meter.sample(1000, 50, 100).secondsLeft, 1);
  for (let second = 2; second <= 10; second++) meter.sample(second * 1000, 50, 100);
  const stopped = { rate: 0, secondsLeft: Infinity, secondsPassed: 11 };
  assert.deepEqual(meter.sample(11_000, 50, 100), stopped);
  assert.equal(meter.sample(20_000, 100, 100).rate, 5, "what is over shows how fast it was as a whole");
});

test("a progress line is never wider than the terminal, so redrawing it leaves nothing behind", () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 40),
      fc.nat(2 ** 40),
      fc.integer({ min: 20, max: 200 }),
      (done, total, columns) => {
        const state = { done, total, rate: 12_345_678, secondsLeft: 77, secondsPassed: 99 };
        assert.ok(progressLine("Downloading", state, columns).length < columns);
      },
    ),
  );
});

test("names of strangers cannot move the cursor or turn the reading direction", () => {
  assert.equal(showable("a\u001b[2Kb\rc\u202egpj.exe\nd"), "a\\u{1b}[2Kb\\u{d}c\\u{202e}gpj.exe\nd");
});

test("text is broken between words, and an indented line goes on indented", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, maxLength: 12, unit: "grapheme-ascii" })), (words) => {
      const text = words.map((word) => word.replaceAll(/\s/g, "x")).join(" ");
      const lines = wrap(text, 40).split("\n");
      assert.ok(lines.every((line) => line.length <= 40));
      assert.equal(lines.join(" "), text);
    }),
  );
  assert.equal(wrap("  why: one two three four five", 20, 5), "  why: one two three\n       four five");
  assert.equal(wrap("a".repeat(50), 40), "a".repeat(50), "a link stays whole");
});
