import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { count, formatBytes, formatDuration, formatRate } from "../../src/ui/format.ts";
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
  assert.deepEqual(meter.sample(11_000, 50, 100), { rate: 0, secondsLeft: Infinity });
});

test("a progress line is never wider than the terminal, so redrawing it leaves nothing behind", () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 40),
      fc.nat(2 ** 40),
      fc.integer({ min: 20, max: 200 }),
      (done, total, columns) => {
        const state = { done, total, rate: 12_345_678, secondsLeft: 77 };
        assert.ok(progressLine("Downloading", state, columns).length < columns);
      },
    ),
  );
});
