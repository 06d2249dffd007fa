import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isLeftOut, isUnfinished } from "../../src/watches/left-out-names.ts";
import { SETTLE_MS, SHARES_PER_HOUR, WatchLogic } from "../../src/watches/watch-logic.ts";

const HOUR_MS = 3_600_000;

/** A look, with everything that it says answered as shared. */
function lookAndShare(logic: WatchLogic, nowMs: number, found: Record<string, string>): string[] {
  const { share } = logic.look(nowMs, new Map(Object.entries(found)));
  for (const landed of share) logic.shared(landed, nowMs);
  return share.map(({ name, seen }) => `${name} ${seen}`);
}

/** Would catch: half a file that is shared because its copy paused, or because nobody had looked meanwhile. */
test("a file is shared once it has looked the same for some seconds, at two looks at least", () => {
  const logic = new WatchLogic([]);
  assert.deepEqual(lookAndShare(logic, 0, { a: "1" }), []);
  assert.deepEqual(lookAndShare(logic, SETTLE_MS - 1, { a: "1" }), []);
  assert.deepEqual(lookAndShare(logic, SETTLE_MS, { a: "2" }), [], "it grew");
  assert.deepEqual(lookAndShare(logic, 10 * SETTLE_MS, { a: "2" }), ["a 2"]);
  assert.deepEqual(lookAndShare(logic, 20 * SETTLE_MS, { a: "2" }), []);
  assert.equal(logic.look(20 * SETTLE_MS, new Map([["a", "2"]])).isSettling, false);
});

test("one that changes later is shared anew, one that goes and comes back is not", () => {
  const logic = new WatchLogic([["a", "1"]]);
  assert.equal(logic.look(0, new Map([["a", "2"]])).isSettling, true);
  assert.deepEqual(lookAndShare(logic, SETTLE_MS, { a: "2" }), ["a 2"]);
  lookAndShare(logic, 2 * SETTLE_MS, {});
  lookAndShare(logic, 3 * SETTLE_MS, { a: "2" });
  assert.deepEqual(lookAndShare(logic, 9 * SETTLE_MS, { a: "2" }), []);
});

/** Would catch: a share that is lost when the first attempt fails, since it counts as done. */
test("what was not answered as shared comes again", () => {
  const logic = new WatchLogic([]);
  logic.look(0, new Map([["a", "1"]]));
  for (let look = 1; look < 4; look++) {
    assert.equal(logic.look(look * SETTLE_MS, new Map([["a", "1"]])).share.length, 1);
  }
});

/** Would catch: a disk that fills overnight; things that are forgotten because there were too many; the newest first. */
test("in any hour so many are shared and no more; the others follow, in the order in which they landed", () => {
  const logic = new WatchLogic([]);
  const found: Record<string, string> = {};
  const order: string[] = [];
  let heldBack = 0;
  const sharedMs: number[] = [];
  for (let minute = 0; minute < 6 * 60; minute++) {
    const nowMs = minute * 60_000;
    if (minute < 50) {
      for (let file = 0; file < 8; file++)
        found[`f${(999 - order.length).toString().padStart(4, "0")}`] = "1";
      for (const name of Object.keys(found)) if (!order.includes(name)) order.push(name);
    }
    const outcome = logic.look(nowMs, new Map(Object.entries(found)));
    heldBack = Math.max(heldBack, outcome.heldBack);
    for (const landed of outcome.share) {
      logic.shared(landed, nowMs);
      sharedMs.push(nowMs);
      assert.equal(landed.name, order[sharedMs.length - 1]);
    }
    assert.ok(sharedMs.filter((atMs) => nowMs - atMs < HOUR_MS).length <= SHARES_PER_HOUR);
  }
  assert.equal(sharedMs.length, order.length);
  assert.equal(heldBack > 0, order.length > SHARES_PER_HOUR);
});

/** Files that are written, changed, taken away and brought back while somebody looks, and restarts now and then. */
const step = fc.record({
  pauseMs: fc.constantFrom(100, 1_000, 2_000, SETTLE_MS, 60_000),
  file: fc.constantFrom("a", "b", "c"),
  action: fc.constantFrom("write", "remove", "back", "restart", "nothing", "nothing"),
});

test("whatever happens, nothing is shared twice as it was, nothing while it changes, and in the end everything", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const disk = new Map<string, { version: number; sinceMs: number; isThere: boolean }>();
      const done = new Map<string, string>();
      let logic = new WatchLogic(done);
      let nowMs = 0;
      const look = (): void => {
        const found = new Map<string, string>();
        for (const [name, { version, isThere }] of disk) if (isThere) found.set(name, String(version));
        for (const landed of logic.look(nowMs, found).share) {
          const file = disk.get(landed.name);
          assert.notEqual(done.get(landed.name), landed.seen, "shared twice");
          assert.equal(String(file?.version), landed.seen);
          assert.ok(nowMs - (file?.sinceMs ?? nowMs) >= SETTLE_MS, "shared while it changes");
          done.set(landed.name, landed.seen);
          logic.shared(landed, nowMs);
        }
      };
      for (const { pauseMs, file, action } of steps) {
        nowMs += pauseMs;
        const before = disk.get(file);
        if (action === "write")
          disk.set(file, { version: (before?.version ?? 0) + 1, sinceMs: nowMs, isThere: true });
        else if (action === "remove" && before !== undefined) before.isThere = false;
        else if (action === "back" && before !== undefined) before.isThere = true;
        else if (action === "restart") logic = new WatchLogic(done);
        look();
      }
      for (let more = 0; more < 3; more++) {
        nowMs += SETTLE_MS;
        look();
      }
      for (const [name, { version, isThere }] of disk)
        if (isThere) assert.equal(done.get(name), String(version), "never shared");
    }),
  );
});

/** Would catch: a download that is shared before it is whole, a lock file of an office suite, capital letters on Windows. */
test("hidden, temporary and unfinished names are left out, others are not", () => {
  const out = [
    ".hidden",
    "film.mkv.part",
    "film.mkv.PART",
    "x.crdownload",
    "a~",
    "~$letter.docx",
    "x.tmp",
    "Thumbs.db",
    "x.!qB",
  ];
  for (const name of out) assert.ok(isLeftOut(name), name);
  const shared = [
    "film.mkv",
    "part",
    "partial report.pdf",
    "tmp",
    "a.b",
    "~home",
    "download",
    "x.temperature",
  ];
  for (const name of shared) assert.ok(!isLeftOut(name), name);
  assert.ok(isUnfinished("film.mkv.part") && !isUnfinished(".hidden") && !isUnfinished("x.tmp"));
});
