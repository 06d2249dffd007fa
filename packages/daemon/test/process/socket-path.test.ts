import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { socketPath } from "../../src/process/socket-path.ts";

/** Would catch: a socket that others may reach, or a name that two folders share. */
test("the socket lies in the data folder", () => {
  assert.equal(socketPath("/home/a/.local/share/backroom"), "/home/a/.local/share/backroom/daemon.sock");
});

/** Would catch: a bare EINVAL of the system, which says nothing. */
test("a path that no socket takes is refused with a way out", () => {
  const fits = `/${"a".repeat(90)}`;
  assert.equal(socketPath(fits), path.posix.join(fits, "daemon.sock"));
  assert.throws(
    () => socketPath(`/${"ä".repeat(50)}`),
    (error) => isBackroomError(error, "E_LISTEN") && error.fix.includes("--data"),
  );
});
