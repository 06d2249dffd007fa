import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { havePartners } from "../../../core/test/support/partners.ts";

const CHILD = fileURLToPath(new URL("disk-child.ts", import.meta.url));

/** Runs a script on a disk of `size` in `$SMALL`, which goes with the script. `catalogue WHAT` is disk-child.ts; gives what it said. */
function onDisk(t: TestContext, size: string, script: string): Record<string, unknown>[] {
  const folder = mkdtempSync(path.join(tmpdir(), "disk-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const whole = `set -eu; mount -t tmpfs -o size=${size} none "$SMALL"; catalogue() { '${process.execPath}' '${CHILD}' "$SMALL/data" "$1"; }
    ${script}`;
  const { stdout, stderr } = spawnSync("unshare", ["-m", "bash", "-c", whole], {
    env: { ...process.env, SMALL: folder, BALLAST: path.join(folder, "ballast") },
    encoding: "utf8",
    timeout: 60_000,
  });
  const lines = stdout.split("\n").filter((line) => line !== "");
  assert.ok(lines.length > 0, stderr);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("a full disk refuses what does not fit, keeps the rest whole, and goes on once there is room", (t) => {
  if (!havePartners(t, "mountns")) return;
  const [filled, again] = onDisk(
    t,
    "3m",
    'head -c 1M /dev/zero > "$BALLAST"; catalogue fill; catalogue start',
  );
  assert.equal(filled?.["put"], "E_DISK_FULL");
  const total = Number(filled["total"]);
  assert.ok(total > 50);
  // Where a part failed and nobody minded, the whole must not pass for done.
  assert.match(String(filled["together"]), /^E_/);
  assert.equal(filled["totalThen"], total);
  // Whoever removes something to make room finds room for that.
  assert.equal(filled["removed"], "done");
  assert.deepEqual([filled["withRoom"], filled["totalLast"], filled["closed"]], ["done", total, "done"]);
  assert.deepEqual([again?.["isRecovered"], again?.["before"]], [false, total]);
});

test("a disk that is full already at the start can be read all the same", (t) => {
  if (!havePartners(t, "mountns")) return;
  const script = `catalogue start; head -c 9M /dev/zero > "$BALLAST" || true; catalogue start; catalogue start`;
  const said = onDisk(t, "2m", script);
  assert.deepEqual(
    said.map(({ before, code }) => before ?? code),
    [0, 1, 1],
  );
});

test("no room at all, or a disk that may only be read, is said so, and nothing is set aside", (t) => {
  if (!havePartners(t, "mountns")) return;
  assert.deepEqual(onDisk(t, "1m", `head -c 9M /dev/zero > "$BALLAST" || true; catalogue start`), [
    { what: "start", code: "E_DISK_FULL" },
  ]);
  const script = `catalogue start; mount -o remount,ro "$SMALL"; catalogue start; mount -o remount,rw "$SMALL"; catalogue start; ls "$SMALL/data/catalogue" | sed 's/.*/{"file":"&"}/'`;
  const [, readOnly, after, ...files] = onDisk(t, "2m", script);
  assert.deepEqual(readOnly, { what: "start", code: "E_STORE" });
  assert.equal(after?.["before"], 1);
  assert.deepEqual(files, [{ file: "catalogue.db" }, { file: "reserve" }]);
});
