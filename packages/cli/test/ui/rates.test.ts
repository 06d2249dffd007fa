import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDays, parseDays, parseHours } from "../../src/ui/week.ts";
import { parseRate, parseRates } from "../../src/ui/rates.ts";

test("rates are read as people write them, and nothing else is", () => {
  const good: [string, number | null][] = [
    ["500k", 512_000],
    ["2M", 2_097_152],
    ["1.5 MiB/s", 1_572_864],
    ["64kb", 65_536],
    ["1g", 1_073_741_824],
    ["100", 100],
    ["0", 0],
    ["off", null],
    ["None", null],
  ];
  for (const [text, rate] of good) assert.equal(parseRate(text), rate, text);
  for (const text of ["", "fast", "-1", "1e9", "2T", "k", "9999999G", "0.0001"]) {
    assert.throws(() => parseRate(text), { code: "E_USAGE" }, text);
  }
  assert.deepEqual(parseRates(["down", "1k", "relay", "off"]), { down: 1024, relay: null });
  for (const words of [["down"], ["sideways", "1k"], ["2M"]]) {
    assert.throws(() => parseRates(words), { code: "E_USAGE" }, words.join(" "));
  }
});

test("days and hours are read as they are written back", () => {
  const good: [string, number[], string][] = [
    ["mon-fri", [0, 1, 2, 3, 4], "mon-fri"],
    ["sat,sun", [5, 6], "sat-sun"],
    ["fri-mon", [0, 4, 5, 6], "mon,fri-sun"],
    ["Monday,wed", [0, 2], "mon,wed"],
    ["daily", [0, 1, 2, 3, 4, 5, 6], "daily"],
  ];
  for (const [text, days, back] of good) {
    assert.deepEqual(parseDays(text), days, text);
    assert.equal(formatDays(days), back);
  }
  for (const text of ["", "someday", "mon-", "mon-tue-wed", "1-5"]) {
    assert.throws(() => parseDays(text), { code: "E_USAGE" }, text);
  }
  assert.deepEqual(parseHours("22-6"), { fromHour: 22, toHour: 6 });
  assert.deepEqual(parseHours("0-24"), { fromHour: 0, toHour: 24 });
  for (const text of ["", "9", "24-6", "9-25", "9:00-17:00"]) {
    assert.throws(() => parseHours(text), { code: "E_USAGE" }, text);
  }
});
