import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { socketPath } from "../../src/process/socket-path.ts";

/** Would catch: a socket that others may reach, or a name that two folders share. */
test("the socket lies in the data folder", () => {
  assert.equal(
    socketPath("/home/a/.local/share/backroom", "linux"),
    "/home/a/.local/share/backroom/daemon.sock",
  );
});

/** Would catch: a bare EINVAL of the system, which says nothing. */
test("a path that no socket takes is refused with a way out", () => {
  const fits = `/${"a".repeat(90)}`;
  assert.equal(socketPath(fits, "linux"), path.posix.join(fits, "daemon.sock"));
  assert.throws(
    () => socketPath(`/${"ä".repeat(50)}`, "darwin"),
    (error) => isBackroomError(error, "E_LISTEN") && error.fix.includes("--data"),
  );
});

/** Would catch: two data folders of a Windows computer that share a pipe, and one folder that has two. */
test("on Windows each data folder has a pipe of its own, whatever the case of its letters", () => {
  const one = socketPath("C:\\Users\\Ann\\AppData\\Local\\Backroom", "win32");
  assert.match(one, /^\\\\\.\\pipe\\backroom-[0-9a-f]{32}$/);
  assert.equal(socketPath("c:\\users\\ann\\appdata\\local\\backroom", "win32"), one);
  assert.notEqual(socketPath("C:\\Users\\Bob\\AppData\\Local\\Backroom", "win32"), one);
});
