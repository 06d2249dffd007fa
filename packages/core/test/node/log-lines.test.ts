import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import type { LogFields, LogLevel } from "../../src/base/log.ts";
import { createLogLines } from "../../src/node/log-lines.ts";
import { ManualClock } from "../support/manual-clock.ts";

function open(level: LogLevel) {
  const lines: string[] = [];
  const clock = new ManualClock();
  const log = createLogLines({ level, clock, write: (line) => lines.push(line) });
  return {
    log,
    clock,
    lines,
    parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

test("a line holds the time to the second, the level, the event and its fields", () => {
  const { log, clock, lines } = open("debug");
  log("info", "a circuit was built", {
    role: "seeder",
    code: "E_TUNNEL",
    tookMs: 3.4,
    hopCount: 3,
    isNew: true,
  });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /^\{.*\}\n$/);
  const { time, ...rest } = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(Date.parse(String(time)), Math.floor(clock.nowMs() / 1000) * 1000);
  assert.deepEqual(rest, {
    level: "info",
    event: "a circuit was built",
    role: "seeder",
    code: "E_TUNNEL",
    tookMs: 3,
    hopCount: 3,
    isNew: true,
  });
});

test("what is below the level is left out", () => {
  for (const [level, count] of [
    ["debug", 3],
    ["info", 2],
    ["warn", 1],
  ] as const) {
    const { log, lines } = open(level);
    log("debug", "one");
    log("info", "two");
    log("warn", "three");
    assert.equal(lines.length, count, level);
  }
});

/** Would catch: an object with more in it than its type says, which types do not stop; a cast. */
test("fields that are no number with a unit, fact, code or word of ours are withheld", () => {
  const { log, lines, parsed } = open("debug");
  const secrets = {
    host: "192.0.2.1",
    port: 443,
    code: "192.0.2.1",
    role: "alice",
    reason: "E_UNHEARD_OF",
    hostCount: "192.0.2.1",
    isHost: "192.0.2.1",
    keyBytes: Buffer.from("secret"),
    nothingCount: Number.NaN,
    "192.0.2.1Count": 1,
    "is192.0.2.1": true,
    cause: new Error("192.0.2.1"),
  };
  const fields = { ...secrets, gateCount: 1 } as unknown as LogFields;
  log("debug", "a dial", fields);
  const { time: _time, ...rest } = parsed()[0] ?? {};
  assert.deepEqual(rest, { level: "debug", event: "a dial", gateCount: 1 });
  assert.doesNotMatch(lines.join(""), /192|443|alice|secret/);
});

/** Would catch: a stranger who fills a disk, or keeps it busy, by doing again and again what is noted. */
test("an event that comes without end is counted instead, and hides no other", () => {
  const { log, clock, parsed } = open("debug");
  for (let at = 0; at < LIMITS.logEventBurst + 1000; at++) log("debug", "a flood");
  log("debug", "something else");
  assert.equal(parsed().length, LIMITS.logEventBurst + 1);
  clock.advance(60_000);
  log("debug", "a flood", { gateCount: 1 });
  const last = parsed().at(-1);
  assert.deepEqual([last?.["event"], last?.["gateCount"], last?.["leftOutCount"]], ["a flood", 1, 1000]);
  log("debug", "a flood");
  assert.equal(parsed().at(-1)?.["leftOutCount"], undefined);
});
