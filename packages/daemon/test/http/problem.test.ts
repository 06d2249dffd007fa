import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "@backroom/api/schemas/daemon.ts";
import { BackroomError, ERROR_TABLE, type ErrorCode } from "@backroom/core/base/errors.ts";
import { InputError, problemOf } from "../../src/http/problem.ts";

test("every error has a status of its kind, and is a problem as the API says", () => {
  for (const [code, { exit }] of Object.entries(ERROR_TABLE) as [ErrorCode, { exit: number }][]) {
    const problem = Problem.parse(problemOf(new BackroomError(code, "what")));
    assert.deepEqual([problem.code, problem.title, problem.exit], [code, "what", exit]);
    assert.ok(problem.status >= 400 && problem.status < 600, code);
    // A fault of ours is never blamed on who asks, nor the other way round.
    if (exit === 1) assert.ok(problem.status >= 500, code);
    if (exit === 2 || exit === 3) assert.ok(problem.status < 500, code);
  }
});

test("of what is not ours nothing is said", () => {
  for (const thrown of [new Error("/home/ann/secret"), "secret", { message: "secret" }, undefined, null]) {
    const problem = problemOf(thrown);
    assert.deepEqual([problem.code, problem.status], ["E_INTERNAL", 500]);
    assert.doesNotMatch(JSON.stringify(problem), /secret/);
  }
});

test("a cause is not told", () => {
  const error = new BackroomError("E_STORE", "what", { cause: new Error("secret") });
  assert.doesNotMatch(JSON.stringify(problemOf(error)), /secret/);
  const input = problemOf(new InputError("wrong", [{ path: "a", message: "b" }]));
  assert.deepEqual(input.issues, [{ path: "a", message: "b" }]);
});
