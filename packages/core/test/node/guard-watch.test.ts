import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { GuardWatch } from "../../src/node/guard-watch.ts";
import { Guards } from "../../src/node/guards.ts";
import { NETWORK, plainInfos, seededRandom } from "../directory/fixtures.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** Somebody was waited for in vain, and perhaps nobody could have answered. */
const SILENT = { kind: "build", isCertain: false, isTold: false } as const;

function newWatch() {
  const guards = new Guards([], { network: NETWORK, clock: new ManualClock(), random: seededRandom(1) });
  const [guard] = guards.among(plainInfos(10));
  const key = guard?.key ?? "";
  const verdicts: string[] = [];
  const watch = new GuardWatch({ guards, onVerdict: (_, verdict) => void verdicts.push(verdict) });
  const counts = () => guards.list().find(({ relay }) => relay.nodeKey.toString("hex") === key)?.counts;
  return { watch, key, verdicts, counts };
}

/** Would catch: an offline spell, which fails all circuits at once, held against the guard, and replaced guards for whoever has a bad line. */
test("what fails together with the channel is one doubtful failure, however much it was", () => {
  const { watch, key, verdicts, counts } = newWatch();
  for (let spell = 0; spell < 30; spell++) {
    const channel = {};
    watch.succeeded(key, channel, "build");
    watch.succeeded(key, channel, "build");
    for (let circuit = 0; circuit < 40; circuit++) watch.failed(key, channel, { ...SILENT, isCertain: true });
  }
  assert.deepEqual(verdicts, []);
  assert.equal(counts()?.built, 60);
  assert.equal(counts()?.attempts, 60 + 29 * 0.25);
});

/** Would catch: a guard that is told apart from a dead network only once it is too late, or never. */
test("failures over a channel that lives on count in full, and lead to a warning and then to the end", () => {
  const { watch, key, verdicts, counts } = newWatch();
  const channel = {};
  for (let circuit = 0; circuit < 12; circuit++) watch.succeeded(key, channel, "build");
  for (let circuit = 0; circuit < 60; circuit++) {
    for (let times = 0; times < 4; times++) watch.failed(key, channel, { ...SILENT, isCertain: true });
    watch.succeeded(key, channel, "build");
  }
  assert.deepEqual([...new Set(verdicts.filter((verdict) => verdict !== "fine"))], ["suspicious", "hostile"]);
  assert.equal(verdicts.at(-1), "hostile");
  assert.ok((counts()?.attempts ?? 0) > 100);
});

test("a relay that may just be gone says little about the guard", () => {
  const { watch, key, verdicts } = newWatch();
  const channel = {};
  for (let circuit = 0; circuit < 100; circuit++) {
    watch.failed(key, channel, { ...SILENT, kind: "use" });
    watch.failed(key, channel, { ...SILENT, kind: "use" });
    watch.succeeded(key, channel, "use");
  }
  assert.deepEqual(verdicts, []);
});

/** Would catch: a guard that goes unnoticed where circuits are rare, since its channel is closed as idle before the next one. */
test("what the guard tells of itself counts at once, over whatever channel", () => {
  const { watch, key, verdicts } = newWatch();
  for (let circuit = 0; circuit < 30; circuit++) {
    watch.failed(key, {}, { kind: "build", isCertain: true, isTold: true });
  }
  assert.deepEqual(verdicts, ["hostile"]);
});

/** Would catch: thousands of failures of one bad minute that are settled all at once. */
test("what waits to be held against a guard is bounded", () => {
  const { watch, key, counts } = newWatch();
  const channel = {};
  for (let circuit = 0; circuit < 100; circuit++) watch.failed(key, channel, { ...SILENT, isCertain: true });
  watch.succeeded(key, channel, "build");
  assert.equal(counts()?.attempts, LIMITS.guardBlamesHeld + 1);
});
