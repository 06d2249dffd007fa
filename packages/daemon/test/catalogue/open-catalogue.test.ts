import assert from "node:assert/strict";
import { chmodSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { checkCatalogue, openCatalogue } from "../../src/catalogue/open-catalogue.ts";
import { recoverySentence } from "../../src/catalogue/recovery.ts";
import { COUNT_TRANSFERS, LIST_TRANSFERS } from "../../src/catalogue/transfer-list.ts";
import { transferOf } from "../support/transfer-record.ts";
import { raises } from "./catalogue-suite.ts";
import { TestCatalogue } from "./temporary.ts";

const HOUR_MS = 60 * 60 * 1000;
const WORDS = "correct horse battery staple";

function fill(catalogue: Catalogue, count: number): void {
  catalogue.together(() => {
    for (let index = 0; index < count; index++) catalogue.put(transferOf(index));
  });
}

test("what was put is there after opening again, progress included", (t) => {
  const place = new TestCatalogue(t);
  const { catalogue, recovery } = place.open();
  assert.equal(recovery, undefined);
  const one = transferOf(1);
  catalogue.put(one);
  catalogue.putProgress(one.id, { doneBytes: 5, downloadedBytes: 6, uploadedBytes: 7 });
  catalogue.putValue("risk", true);
  catalogue.notes.add(one.id, { atMs: 1, level: "note", kind: "begun", code: null, text: "begun" });
  const again = place.open();
  assert.equal(again.recovery, undefined);
  const kept = { ...one, doneBytes: 5, downloadedBytes: 6, uploadedBytes: 7 };
  assert.deepEqual(again.catalogue.get(one.id), kept);
  assert.equal(again.catalogue.value("risk"), true);
  assert.deepEqual(
    again.catalogue.notes.list(one.id).map(({ kind }) => kind),
    ["begun"],
  );
});

test("the folder and every file in it are their owner's alone, whatever the umask was and the modes were", (t) => {
  const place = new TestCatalogue(t);
  const before = process.umask(0);
  t.after(() => process.umask(before));
  fill(place.open().catalogue, 3);
  place.clock.advance(HOUR_MS);
  const modes = (): string[] =>
    [".", ...place.names()].map(
      (name) => `${name} ${(statSync(path.join(place.folder, name)).mode & 0o777).toString(8)}`,
    );
  const backup = place.names("backup-")[0];
  assert.deepEqual(modes(), [
    ". 700",
    `${backup} 600`,
    "catalogue.db 600",
    "catalogue.db-wal 600",
    "reserve 600",
  ]);
  for (const name of [".", "catalogue.db", "catalogue.db-wal"])
    chmodSync(path.join(place.folder, name), 0o777);
  place.open().catalogue.put(transferOf(9));
  assert.deepEqual(modes(), [
    ". 700",
    `${backup} 600`,
    "catalogue.db 600",
    "catalogue.db-wal 600",
    "reserve 600",
  ]);
});

test("a second daemon finds it locked, and the first goes on", (t) => {
  const place = new TestCatalogue(t);
  const { catalogue } = place.open();
  const deps = { clock: place.clock, log: silentLog };
  assert.throws(() => openCatalogue(place.dataFolder, deps), raises("E_LOCKED"));
  assert.throws(() => checkCatalogue(place.dataFolder), raises("E_LOCKED"));
  catalogue.put(transferOf(1));
  catalogue.check();
});

test("a file of a newer version is refused and left as it is", (t) => {
  const place = new TestCatalogue(t);
  fill(place.open().catalogue, 1);
  place.close();
  const raw = new DatabaseSync(place.main);
  raw.exec("PRAGMA user_version = 77; CREATE TABLE later (a)");
  raw.close();
  const bytes = readFileSync(place.main);
  assert.throws(() => place.open(), raises("E_CATALOGUE_VERSION"));
  assert.deepEqual(place.names(), ["catalogue.db", "reserve"]);
  assert.deepEqual(readFileSync(place.main), bytes);
});

test("what damage leaves is set aside byte for byte; the last backup takes its place, and the person is told", (t) => {
  const place = new TestCatalogue(t);
  const { catalogue } = place.open();
  fill(catalogue, 40);
  place.clock.advance(HOUR_MS);
  catalogue.put(transferOf(99));
  place.close();
  const bytes = readFileSync(place.main);
  bytes.fill(0xff, 4096, 8192);
  writeFileSync(place.main, bytes);
  assert.throws(() => checkCatalogue(place.dataFolder), raises("E_CATALOGUE_DAMAGED"));
  const { catalogue: restored, recovery } = place.open();
  assert.ok(recovery?.setAside != null && recovery.backupMs != null);
  assert.deepEqual(readFileSync(recovery.setAside), bytes);
  assert.equal(restored.list({ limit: 1 }).total, 40);
  assert.match(recoverySentence(recovery), /damaged.*backup of 2027/);
  place.close();
  assert.equal(place.open().recovery, undefined);
});

test("without a backup it begins anew, and what was damaged stays; another program's file counts as damage", (t) => {
  for (const content of ["not a database at all, but long enough to be read as one".repeat(99), "SQLite"]) {
    const place = new TestCatalogue(t);
    place.open();
    place.close();
    writeFileSync(place.main, content);
    const { catalogue, recovery } = place.open();
    assert.equal(recovery?.backupMs, null);
    assert.equal(readFileSync(recovery.setAside ?? "", "latin1"), content);
    assert.match(recoverySentence(recovery), /begins anew/);
    catalogue.put(transferOf(1));
  }
  const place = new TestCatalogue(t);
  place.open();
  place.close();
  rmSync(place.main);
  const raw = new DatabaseSync(place.main);
  raw.exec("CREATE TABLE recipes (a); PRAGMA user_version = 1");
  raw.close();
  assert.ok(place.open().recovery?.setAside);
});

test("a file that is gone or empty comes back from the backup, and a log that is left over is not taken for the new one's", (t) => {
  const place = new TestCatalogue(t);
  fill(place.open().catalogue, 5);
  place.clock.advance(HOUR_MS);
  place.close();
  truncateSync(place.main);
  const empty = place.open();
  assert.ok(empty.recovery?.setAside);
  assert.equal(empty.catalogue.list({ limit: 1 }).total, 5);
  place.close();
  rmSync(place.main);
  const gone = place.open();
  assert.equal(gone.recovery?.setAside, null);
  assert.match(recoverySentence(gone.recovery), /was gone/);
  assert.equal(gone.catalogue.list({ limit: 1 }).total, 5);

  const other = new TestCatalogue(t);
  fill(other.open().catalogue, 3);
  const log = readFileSync(`${other.main}-wal`);
  other.close();
  rmSync(other.main);
  writeFileSync(`${other.main}-wal`, log);
  const anew = other.open();
  assert.equal(anew.catalogue.list({ limit: 1 }).total, 0);
  assert.deepEqual(readFileSync(`${anew.recovery?.setAside}-wal`), log);
});

test("backups that are damaged are passed over for an older one", (t) => {
  const place = new TestCatalogue(t);
  for (const index of [1, 2, 3]) {
    place.open().catalogue.put(transferOf(index));
    place.clock.advance(HOUR_MS);
  }
  place.close();
  const [, middle, newest] = place.names("backup-").map((name) => path.join(place.folder, name));
  for (const file of [place.main, middle, newest]) writeFileSync(file ?? "", "x".repeat(9000));
  const { catalogue, recovery } = place.open();
  assert.equal(recovery?.backupMs, 1_800_000_000_000 + 60_000);
  assert.equal(catalogue.list({ limit: 1 }).total, 1);
  assert.equal(place.names("damaged-").length, 1);
});

test("bytes that flip anywhere are noticed, or leave a catalogue that can be read as a whole", (t) => {
  const place = new TestCatalogue(t);
  fill(place.open().catalogue, 60);
  place.clock.advance(HOUR_MS);
  place.close();
  const bytes = readFileSync(place.main);
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
        maxLength: 6,
      }),
      (flips) => {
        const other = Buffer.from(bytes);
        for (const [at, mask] of flips) other.writeUInt8(other.readUInt8(at) ^ mask, at);
        for (const name of place.names("damaged-")) rmSync(path.join(place.folder, name));
        writeFileSync(place.main, other);
        try {
          const { catalogue, recovery } = place.open();
          const outcome = recovery === undefined ? "unnoticed" : "restored";
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          const { transfers, total } = catalogue.list({ limit: 100 });
          assert.equal(transfers.length, total);
          for (const { id } of transfers) assert.ok(catalogue.get(id));
          // A value may have become another one of its form. Nothing is lost, and nothing that was restored is changed.
          assert.equal(total, 60);
          if (recovery !== undefined) {
            assert.deepEqual(
              transfers,
              Array.from({ length: 60 }, (_, at) => transferOf(59 - at)),
            );
          }
          catalogue.put(transferOf(70));
          catalogue.tokens.list();
          catalogue.watches.list();
        } catch (error) {
          // The four bytes of the version.
          assert.ok(isBackroomError(error, "E_CATALOGUE_VERSION"), String(error));
        } finally {
          place.close();
        }
      },
    ),
    { numRuns: 60 },
  );
  assert.ok((outcomes.get("restored") ?? 0) > 5, JSON.stringify([...outcomes]));
});

test("a backup an hour while something changes, three of them, and no timer while nothing does", (t) => {
  const place = new TestCatalogue(t);
  const { catalogue } = place.open();
  assert.equal(place.clock.timerCount, 0);
  for (let hour = 1; hour <= 6; hour++) {
    catalogue.put(transferOf(hour));
    catalogue.put(transferOf(hour, { name: "changed again" }));
    place.clock.advance(HOUR_MS);
    assert.equal(place.names("backup-").length, Math.min(3, hour));
    assert.equal(place.clock.timerCount, 0);
  }
  const before = place.names("backup-");
  place.clock.advance(100 * HOUR_MS);
  assert.deepEqual(place.names("backup-"), before);
});

test("a catalogue that is damaged while it is used pushes no good backup out", (t) => {
  const place = new TestCatalogue(t);
  const { catalogue } = place.open();
  fill(catalogue, 4000);
  place.clock.advance(HOUR_MS);
  const before = place.names("backup-");
  place.open();
  const bytes = readFileSync(place.main);
  bytes.fill(0xff, 4096);
  writeFileSync(place.main, bytes);
  place.clock.advance(HOUR_MS);
  assert.deepEqual(place.names("backup-"), before);
  assert.deepEqual(place.logged, ["the catalogue could not be backed up"]);
});

test("passwords, keys and links are in no file once they are of no use: not in the log, not in free pages, not in a backup", (t) => {
  const place = new TestCatalogue(t);
  const { catalogue } = place.open();
  fill(catalogue, 50);
  const keys = { password: WORDS, identity: "AGE-SECRET-KEY-1QQQ", recipients: ["age1qqqperson"] };
  const secrets = [WORDS, keys.identity, "age1qqqperson"];
  const link = "backroom:thelinkofnumber77";
  const share = transferOf(77, { state: "sealing", root: null, link: null, keys });
  catalogue.put(share);
  place.clock.advance(HOUR_MS);
  assert.equal(place.names("backup-").length, 1);
  for (const secret of secrets) {
    const files = place.filesWith(secret);
    assert.ok(files.length > 0 && files.every((name) => name.startsWith("catalogue.db")), files.join(" "));
  }
  catalogue.put({ ...share, state: "active", root: "7".repeat(64), link });
  place.clock.advance(HOUR_MS);
  for (const secret of secrets) assert.deepEqual(place.filesWith(secret), []);
  assert.deepEqual(place.filesWith(link), [place.names("backup-")[1], "catalogue.db"]);
  catalogue.remove(share.id);
  place.clock.advance(HOUR_MS);
  assert.deepEqual(place.filesWith(link), []);
  assert.equal(place.names("backup-").length, 1);
});

test("counts reach the file without a write of their own each, and closing writes what waits", (t) => {
  const place = new TestCatalogue(t);
  const { catalogue } = place.open();
  const one = transferOf(1);
  catalogue.put(one);
  const sizeBefore = statSync(`${place.main}-wal`).size;
  for (let uploadedBytes = 0; uploadedBytes < 1000; uploadedBytes++) {
    catalogue.putProgress(one.id, { doneBytes: 1, downloadedBytes: 2, uploadedBytes });
  }
  assert.equal(statSync(`${place.main}-wal`).size, sizeBefore);
  place.clock.advance(60_000);
  const written = statSync(`${place.main}-wal`).size - sizeBefore;
  assert.ok(written > 0 && written < 3 * 4200, `${written} bytes`);
});

test("what a list looks at is the index alone", (t) => {
  const place = new TestCatalogue(t);
  place.open();
  place.close();
  const raw = new DatabaseSync(place.main);
  for (const sql of [LIST_TRANSFERS, COUNT_TRANSFERS]) {
    const plan = raw
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => String(detail));
    const scans = plan.filter((line) => /\b(SCAN|SEARCH) transfers\b/.test(line));
    assert.equal(scans.length, 1);
    assert.ok(scans[0]?.includes("COVERING INDEX transfers_by_age"), plan.join("\n"));
  }
  raw.close();
});
