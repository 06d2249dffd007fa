import assert from "node:assert/strict";
import { openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import { failureOf, sayReady, warningsOf, type ReadyLine } from "../../src/daemon/ready-line.ts";

let folder: string;
before(async () => (folder = await mkdtemp(path.join(tmpdir(), "backroom-ready-"))));
after(() => rm(folder, { recursive: true, force: true }));

function said(name: string, line: ReadyLine): string {
  const file = path.join(folder, name);
  sayReady(openSync(file, "wx"), line);
  return readFileSync(file, "utf8");
}

/** Would catch: a reason, its fix or a warning that is lost on its way between two processes. */
test("what the daemon says of its start is what its starter hears", () => {
  assert.deepEqual(warningsOf(said("well", { warnings: ["a", "b"] })), ["a", "b"]);
  const error = new BackroomError("E_LOCKED", "one runs", { why: "so", fix: "stop it" });
  assert.throws(
    () => warningsOf(said("badly", failureOf(error))),
    (heard) =>
      isBackroomError(heard, "E_LOCKED") &&
      heard.message === "one runs" &&
      heard.why === "so" &&
      heard.fix === "stop it",
  );
  // A fault's own message may name files.
  const fault = failureOf(new TypeError("/home/ann/secret"));
  assert.ok(!JSON.stringify(fault).includes("secret"));
});

/** Would catch: a start that hangs or succeeds where the daemon died, or where something else speaks. */
test("silence and nonsense are failures", () => {
  for (const text of ["", "\n", "{", "null", "{}", '{"code":"E_NOT_OURS"}', "[]"]) {
    assert.throws(
      () => warningsOf(text),
      (error) => isBackroomError(error, "E_DAEMON"),
      text,
    );
  }
});

/** Would catch: a daemon that ends since whoever started it is gone. */
test("nobody need listen", () => {
  sayReady(9_999, { warnings: [] });
});
