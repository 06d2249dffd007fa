import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { checked, reportOf, row } from "../../src/doctor/rows.ts";

test("one check that fails, hangs or breaks leaves the others their word", async () => {
  const failing = await checked("a", () => {
    throw new BackroomError("E_STORE", "what", { fix: "do this" });
  });
  assert.deepEqual([failing.status, failing.found, failing.fix], ["fail", "what", "do this"]);
  const hanging = await checked("b", () => new Promise(() => {}), 1);
  assert.equal(hanging.status, "unknown");
  // The message of an error that is not ours may name a path or an address.
  const broken = await checked("c", async () => Promise.reject(new Error("/home/ann/secret")));
  assert.equal(broken.status, "unknown");
  assert.ok(!JSON.stringify(broken).includes("ann"));
});

test("the worst finding is the whole's, and unknown is none", () => {
  const statusOf = (...statuses: Parameters<typeof row>[1][]): string =>
    reportOf(statuses.map((status) => row("x", status, ""))).status;
  assert.equal(statusOf(), "ok");
  assert.equal(statusOf("ok", "unknown"), "ok");
  assert.equal(statusOf("ok", "warn", "unknown"), "warn");
  assert.equal(statusOf("warn", "fail", "ok"), "fail");
});
