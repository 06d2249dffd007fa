import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { DoctorReport } from "@backroom/api/schemas/daemon.ts";
import { backroom, TestFolder, type Run } from "../support/program.ts";

let folder: TestFolder;
const run = (...args: readonly string[]): Promise<Run> =>
  backroom(["--data", folder.join("data"), "--config", folder.join("config.toml"), ...args], {
    env: { BACKROOM_PAGE_PORT: "0", BACKROOM_RISK_ACCEPTED: "true" },
  });

before(async () => (folder = await TestFolder.make()));
after(async () => {
  await run("daemon", "stop");
  await folder.remove();
});

/** Would catch: a daemon that goes by another file than it was started with, one that a change does not reach, and a doctor that looks past it. */
test("a daemon that runs is what config changes and the doctor asks", async () => {
  assert.equal((await run("daemon", "start")).status, 0);
  const port = await run("config", "get", "page.port", "--origin");
  assert.equal(port.stdout, "0\tenvironment\n");
  const set = await run("config", "set", "downloads.active", "2");
  assert.deepEqual([set.status, set.stderr], [0, "downloads.active is 2.\n"]);
  assert.equal(await readFile(folder.join("config.toml"), "utf8"), "[downloads]\nactive = 2\n");
  const later = await run("config", "set", "page.enabled", "false");
  assert.equal(later.stderr, "page.enabled is false, from the daemon's next start.\n");
  const wrong = await run("config", "set", "downloads.activ", "2");
  assert.deepEqual([wrong.status, wrong.code], [3, "E_SETTING"]);
  assert.match(wrong.stderr, /perhaps downloads\.active is meant/);

  const looked = await run("--json", "doctor");
  const [result] = looked.lines();
  const { rows } = DoctorReport.parse({ rows: result?.["rows"], status: result?.["status"] });
  const statusOf = (check: string): string | undefined => rows.find((row) => row.check === check)?.status;
  for (const check of ["daemon", "page port", "data folder", "permissions", "database", "settings"]) {
    assert.equal(statusOf(check), "ok", check);
  }
  // A small or full test machine is told so; nothing else may fail.
  const failed = rows.filter(({ status }) => status === "fail").map(({ check }) => check);
  for (const check of failed) assert.ok(["memory", "cores", "free disk"].includes(check), check);
  assert.deepEqual([looked.status, looked.code], failed.length === 0 ? [0, undefined] : [7, "E_DOCTOR"]);

  assert.equal((await run("daemon", "stop")).status, 0);
  const alone = await run("--json", "doctor");
  const rowsAlone = alone.lines()[0]?.["rows"] as { check: string; status: string }[];
  assert.equal(rowsAlone.find(({ check }) => check === "daemon")?.status, "unknown");
});
