import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { assertNotDenied } from "../../src/node/deny-file.ts";

let root: string;
before(async () => (root = await mkdtemp(path.join(tmpdir(), "backroom-deny-"))));
after(() => rm(root, { recursive: true, force: true }));

const withCode =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    isBackroomError(error, code);

/** Would catch: a list that is not read, and one that cannot be read taken for none. */
test("a mirror goes by the file in its data folder", async () => {
  const [denied, other] = [systemRandom.bytes(32), systemRandom.bytes(32)];
  await assertNotDenied({ root }, denied);
  const file = path.join(root, "deny-list");
  await writeFile(file, `${denied.toString("hex")}\n`);
  await assert.rejects(assertNotDenied({ root }, denied), withCode("E_DENIED"));
  await assertNotDenied({ root }, other);
  await writeFile(file, "something else\n");
  await assert.rejects(assertNotDenied({ root }, other), withCode("E_DENY_LIST"));
  await truncate(file, LIMITS.denyListBytes + 1);
  await assert.rejects(assertNotDenied({ root }, other), withCode("E_STORE"));
});
