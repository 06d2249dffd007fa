import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { isRunning } from "../../src/base/is-running.ts";

/** Would catch: locks and left files of living processes that are taken away, or of dead ones that stay. */
test("a process is running until it has ended", async () => {
  assert.equal(isRunning(process.pid), true);
  // Of the first process of the system, which may be another user's.
  assert.equal(isRunning(1), process.platform !== "win32");
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(child, "spawn");
  const { pid = 0 } = child;
  assert.equal(isRunning(pid), true);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(isRunning(pid), false);
});
