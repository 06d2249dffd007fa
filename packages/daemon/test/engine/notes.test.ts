import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiEvent } from "@backroom/api/schemas/event.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import type { DaemonContext } from "../../src/context.ts";
import { Notes } from "../../src/engine/notes.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";
import { transferOf } from "../support/transfer-record.ts";

const { id } = transferOf(1);

function setUp(catalogue: Catalogue = memoryCatalogue()) {
  const clock = new ManualClock(1000);
  const events: ApiEvent[] = [];
  const context = {
    catalogue,
    machine: { clock },
    events: { publish: (event: ApiEvent) => void events.push(event), isFollowed: true },
    log: silentLog,
  } as unknown as DaemonContext;
  return { catalogue, clock, events, notes: new Notes(context) };
}

test("what happened is kept with its time, and told; the same again at once is not", () => {
  const { catalogue, clock, events, notes } = setUp();
  notes.happened(id, "begun");
  assert.deepEqual(events, [], "there is no such transfer");
  catalogue.put(transferOf(1));
  notes.happened(id, "begun");
  clock.advance(5);
  notes.said(id, "warn", "a relay is slow");
  notes.said(id, "warn", "a relay is slow");
  notes.failed(
    id,
    new BackroomError("E_DISK_FULL", "it could not be stored", { why: "no room", fix: "make some" }),
  );
  assert.deepEqual(catalogue.notes.list(id), [
    { number: 1, atMs: 1000, level: "note", kind: "begun", code: null, text: "begun" },
    { number: 2, atMs: 1005, level: "warn", kind: "said", code: null, text: "a relay is slow" },
    {
      number: 3,
      atMs: 1005,
      level: "warn",
      kind: "failed",
      code: "E_DISK_FULL",
      text: "it could not be stored: no room",
    },
  ]);
  assert.deepEqual(
    events,
    Array.from({ length: 3 }, () => ({ name: "notes", data: { transfers: [id] } })),
  );
});

test("a sentence that others made endless is cut", () => {
  const { catalogue, notes } = setUp();
  catalogue.put(transferOf(1));
  notes.said(id, "note", "x".repeat(100_000));
  assert.equal(catalogue.notes.list(id)[0]?.text.length, LIMITS.transferNoteChars + 1);
});

test("a disk that takes no note stops no transfer", () => {
  const catalogue = memoryCatalogue();
  catalogue.put(transferOf(1));
  catalogue.notes.add = () => {
    throw new BackroomError("E_DISK_FULL", "no room");
  };
  const { events, notes } = setUp(catalogue);
  notes.happened(id, "paused");
  assert.deepEqual(events, []);
});
