import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { TransferRecord } from "../../src/catalogue/catalogue.ts";
import {
  failed,
  fetched,
  fetchedAgain,
  linked,
  nextStep,
  paused,
  resumed,
  sealed,
  unsealed,
  type Step,
} from "../../src/engine/transfer-state.ts";
import { transferOf } from "../support/transfer-record.ts";

const NONE = { root: null, link: null, sharerSeed: null, packLength: null, finishedMs: null, failure: null };
const newShare = (): TransferRecord =>
  transferOf(1, {
    ...NONE,
    role: "share",
    state: "sealing",
    keys: { password: "four unrelated words here" },
    seed: true,
  });
const newGet = (more: Partial<TransferRecord> = {}): TransferRecord =>
  transferOf(2, {
    ...NONE,
    role: "get",
    state: "active",
    root: "ab",
    link: "backroom:x",
    packLength: 9,
    paths: [],
    seed: false,
    ...more,
  });
const SEALED = {
  root: "cd",
  packLength: 100,
  name: "n",
  fileCount: 2,
  size: 90,
  leftOutCount: 0,
  skippedCount: 0,
  wantedBytes: null,
  sharerSeed: "ef",
  identity: "12",
};
const OPENED = { name: "n", fileCount: 1, size: 8, paths: ["/out/n"] };
const error = new BackroomError("E_DISK_FULL", "no room");

test("a share is sealed, linked and handed out, and keeps no key but its link's", () => {
  const one = newShare();
  assert.equal(nextStep(one), "seal");
  const two = sealed(one, SEALED);
  assert.deepEqual([nextStep(two), two.kind, two.keys], ["link", "read", { identity: "12" }]);
  const three = linked(two, "backroom:y", 5);
  assert.deepEqual([nextStep(three), three.keys, three.finishedMs], ["hand-out", {}, 5]);
  const locked = linked(sealed(one, { ...SEALED, identity: undefined }), "backroom:z", 5);
  assert.deepEqual(locked.keys, {}, "a password is not kept once nothing has to be sealed with it");
});

/** Would catch: a share with a password that is killed while its pack gets its place, and is then sealed for whoever has the link. */
test("what is sealed again is sealed for the same people", () => {
  const recipients = ["age1somebody"];
  for (const keys of [{ password: "four unrelated words here" }, { recipients }]) {
    const again = unsealed(sealed({ ...newShare(), keys }, { ...SEALED, identity: undefined }));
    assert.deepEqual([nextStep(again), again.keys], ["seal", keys]);
  }
  const open = sealed({ ...newShare(), keys: {} }, SEALED);
  assert.deepEqual([open.keys, unsealed(open).keys], [{ identity: "12" }, {}]);
});

/** Would catch: a share whose sealed pack was lost in a kill, and that waits for it for ever. */
test("what was sealed and is not there is sealed again", () => {
  assert.equal(nextStep(unsealed(sealed(newShare(), SEALED))), "seal");
});

test("a download ends, or is handed out where that was asked for; a mirror always is", () => {
  const ends = (more: Partial<TransferRecord>): [Step, string] => {
    const record = fetched(newGet(more), more.role === "mirror" ? undefined : OPENED, 7);
    return [nextStep(record), record.state];
  };
  assert.deepEqual(ends({}), ["rest", "done"]);
  assert.deepEqual(ends({ seed: true }), ["hand-out", "active"]);
  assert.deepEqual(ends({ role: "mirror" }), ["hand-out", "active"]);
  assert.equal(nextStep(fetchedAgain(fetched(newGet(), OPENED, 7))), "fetch");
});

/** Would catch: a pause or a failure that makes a transfer forget how far it was, or a password that a person has to give again. */
test("whatever stops a transfer, it goes on with the step that it stopped at, and has lost nothing", () => {
  const share = newShare();
  const records = [
    share,
    sealed(share, SEALED),
    linked(sealed(share, SEALED), "backroom:y", 5),
    newGet({ keys: { password: "p" } }),
    fetched(newGet({ seed: true }), OPENED, 7),
    newGet({ role: "mirror" }),
  ];
  const stops = [paused, (record: TransferRecord) => failed(record, error)];
  fc.assert(
    fc.property(
      fc.constantFrom(...records),
      fc.array(fc.constantFrom(...stops, resumed), { maxLength: 8 }),
      (record, steps) => {
        const after = resumed(steps.reduce((now, step) => step(now), record));
        assert.deepEqual(after, { ...record, failure: null });
      },
    ),
  );
});

test("what is over stays over, and says why where it failed", () => {
  const done = fetched(newGet(), OPENED, 7);
  assert.equal(resumed(done), done);
  assert.equal(paused(done), done, "also where it ended while it was being stopped");
  const broken = failed(newGet(), error);
  assert.equal(nextStep(broken), "rest");
  assert.deepEqual(
    [broken.failure?.code, broken.failure?.what, broken.failure?.fix],
    ["E_DISK_FULL", "no room", error.fix],
  );
  assert.equal(resumed(broken).failure, null);
});
