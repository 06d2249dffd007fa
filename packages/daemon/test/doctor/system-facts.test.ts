import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { totalmem } from "node:os";
import { test } from "node:test";
import { systemFacts } from "../../src/doctor/system-facts.ts";

/** Would catch: a start that waits for `lscpu` or the like, as the library does behind most of its functions. */
test("memory is read without starting a process", () => {
  const started: unknown[] = [];
  const note = (message: unknown): unknown => started.push(message);
  const starts = channel("child_process");
  starts.subscribe(note);
  try {
    const { totalBytes, limitBytes } = systemFacts.memory();
    assert.equal(totalBytes, totalmem());
    assert.ok(limitBytes === undefined || limitBytes > 0);
  } finally {
    starts.unsubscribe(note);
  }
  assert.deepEqual(started, []);
});

test("this computer has a core and a disk, or says that it does not know", async () => {
  const { physical, limit } = await systemFacts.cores();
  assert.ok(physical === undefined || (Number.isInteger(physical) && physical > 0));
  assert.ok(limit === undefined || limit > 0);
  const { freeBytes, fileSystem } = await systemFacts.disk(import.meta.dirname);
  assert.ok(freeBytes !== undefined && freeBytes >= 0);
  assert.ok(fileSystem === undefined || fileSystem.length > 0);
  assert.equal((await systemFacts.disk("/nowhere at all")).freeBytes, undefined);
});
