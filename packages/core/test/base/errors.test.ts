import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { BackroomError, ERROR_TABLE, isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { errorsDocument } from "../support/errors-document.ts";

const root = path.resolve(import.meta.dirname, "../../../..");

test("docs/ERRORS.md says what the table says", () => {
  assert.equal(readFileSync(path.join(root, "docs/ERRORS.md"), "utf8"), errorsDocument());
});

test("every code of the table is raised somewhere, so nobody reads about errors that cannot come", () => {
  const source = globSync("packages/*/src/**/*.ts", { cwd: root })
    .filter((file) => !file.endsWith("base/errors.ts"))
    .map((file) => readFileSync(path.join(root, file), "utf8"))
    .join("\n");
  const unused = Object.keys(ERROR_TABLE).filter((code) => !source.includes(`"${code}"`));
  assert.deepEqual(unused, []);
});

test("an error carries the table's sentences unless it knows better", () => {
  const codes = Object.keys(ERROR_TABLE) as ErrorCode[];
  for (const code of codes) {
    const plain = new BackroomError(code, "what");
    assert.equal(plain.why, ERROR_TABLE[code].why);
    assert.equal(plain.exit, ERROR_TABLE[code].exit);
    assert.ok(isBackroomError(plain, code));
  }
  const exact = new BackroomError("E_USAGE", "what", { why: "because", fix: "do this", cause: 1 });
  assert.deepEqual([exact.why, exact.fix, exact.cause], ["because", "do this", 1]);
});
