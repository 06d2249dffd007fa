import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { migrate, versionOf } from "../../src/catalogue/migrate.ts";
import { MIGRATIONS } from "../../src/catalogue/migrations.ts";
import { laterVersions, writeVersion1 } from "../support/catalogue-versions.ts";
import { raises } from "./catalogue-suite.ts";
import { TestCatalogue } from "./temporary.ts";

const CHILD = fileURLToPath(new URL("migrate-child.ts", import.meta.url));
const NEWEST = MIGRATIONS.at(-1)?.version ?? 0;

/** Of each version that was released: what it makes never changes again, for files of it are out there. */
const RELEASED: Readonly<Record<number, string>> = {
  1: "a22e2850e8d496704aca9c983c0aba2551f353b56e1dceb156f1e44a1155a6c0",
  2: "db3bceac266157fc3c9a8c14def8d25cf03e88474109132ed195abd022cb4a81",
  3: "10ac0e3ff7ffcc7097c6ec35fe8507a2f9369ebfddfa05ed3c0f3811a070f782",
  4: "938fe78a8a2f104f7900836d16b84f2117e53be794e020bd6101f9a659f4c190",
  5: "0a3b3810419d88cf4df419000d59ad5c63ed78759d7aa3c0248c3aedd426f329",
  6: "46ec480372693683a0fea9261dacd1546cb94973f6628f7cb3cfc861233e9f42",
};

test("versions follow each other without gaps, and those that were released make what they made", () => {
  assert.deepEqual(
    MIGRATIONS.map(({ version }) => version),
    MIGRATIONS.map((_, at) => at + 1),
  );
  for (const { version } of MIGRATIONS) {
    const db = new DatabaseSync(":memory:");
    migrate(db, MIGRATIONS.slice(0, version));
    const form = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").all();
    db.close();
    const hash = createHash("sha256").update(JSON.stringify(form)).digest("hex");
    assert.equal(hash, RELEASED[version], `version ${version}`);
  }
});

/** Would catch: sessions of before that are never ended any more, as nobody knows what they are; a person's token taken for one. */
test("version 6 knows the sessions of pages by the names that they had", () => {
  const db = new DatabaseSync(":memory:");
  migrate(db, MIGRATIONS.slice(0, 5));
  const add = db.prepare("INSERT INTO tokens VALUES (?, ?, '[]', ?, 1, NULL, NULL)");
  for (const [at, name] of ["page a", "page", "page b"].entries())
    add.run("abc"[at] ?? "", name, "abc"[at]?.repeat(64) ?? "");
  migrate(db, MIGRATIONS.slice(0, 6));
  const found = db.prepare("SELECT id FROM tokens WHERE browser IS NOT NULL").all();
  assert.deepEqual(
    found.map(({ id }) => id),
    ["a"],
  );
  db.close();
});

test("what version 1 wrote is read as it was meant", (t) => {
  const place = new TestCatalogue(t);
  writeVersion1(place.dataFolder);
  const { catalogue, recovery } = place.open();
  assert.equal(recovery, undefined);
  assertVersion1(catalogue);
  assert.deepEqual(catalogue.get("bbbbbbbbbbbbbbbb")?.keys, { password: "a password" });
});

test("later versions bring everything along, after a backup of the file as it was; two such backups stay", (t) => {
  const place = new TestCatalogue(t);
  writeVersion1(place.dataFolder);
  for (const count of [1, 2, 3]) {
    const { catalogue } = place.open(laterVersions(count));
    assertVersion1(catalogue);
    catalogue.check();
    place.clock.advance(1000);
  }
  place.close();
  assert.deepEqual(backupVersions(place), [NEWEST + 1, NEWEST + 2]);
  assert.equal(note(place.main), `version ${NEWEST + 3}`);
  assert.throws(() => place.open(), raises("E_CATALOGUE_VERSION"));
});

test("a step that fails leaves the version before it, whole, and can be taken again", (t) => {
  const place = new TestCatalogue(t);
  writeVersion1(place.dataFolder);
  const fails = laterVersions(2, (version) => {
    if (version === NEWEST + 2) throw new Error("no");
  });
  assert.throws(() => place.open(fails), /^Error: no$/);
  assert.equal(note(place.main), `version ${NEWEST + 1}`);
  assertVersion1(place.open(laterVersions(2)).catalogue);
  place.close();
  assert.equal(note(place.main), `version ${NEWEST + 2}`);
});

test("a step that breaks what refers to its table is our fault: it is refused, and the file is not taken for damaged", (t) => {
  const place = new TestCatalogue(t);
  writeVersion1(place.dataFolder);
  const loses = [
    ...MIGRATIONS,
    { version: NEWEST + 1, run: (db: DatabaseSync) => db.exec("DELETE FROM watches") },
  ];
  assert.throws(() => place.open(loses), /does not come out whole/);
  assert.deepEqual(place.names("damaged-"), []);
  assertVersion1(place.open().catalogue);
});

test("a kill -9 in the middle of a step loses nothing: the next start takes the step again", (t) => {
  for (const later of [1, 2]) {
    const place = new TestCatalogue(t);
    writeVersion1(place.dataFolder);
    const { signal } = spawnSync(process.execPath, [CHILD, place.dataFolder, String(later)], {
      timeout: 60_000,
    });
    assert.equal(signal, "SIGKILL");
    assert.deepEqual(backupVersions(place), [1]);
    const { catalogue, recovery } = place.open(laterVersions(2));
    assert.equal(recovery, undefined);
    assertVersion1(catalogue);
    place.close();
    assert.equal(note(place.main), `version ${NEWEST + 2}`);
  }
});

/** All that `writeVersion1` wrote, but for passwords, which backups do not have. */
function assertVersion1(catalogue: Catalogue): void {
  const [fetched, share] = catalogue.list({ limit: 9 }).transfers;
  assert.deepEqual(share, {
    id: "aaaaaaaaaaaaaaaa",
    role: "share",
    state: "active",
    name: "Straße",
    kind: "read",
    profile: "standard",
    fileCount: 3,
    size: 20,
    packLength: 30,
    doneBytes: 30,
    downloadedBytes: 0,
    uploadedBytes: 99,
    output: null,
    paths: [],
    failure: null,
    leftOutCount: 1,
    skippedCount: 0,
    chosenSize: null,
    wantedBytes: null,
    createdMs: 1000,
    finishedMs: null,
    root: "a".repeat(64),
    link: "backroom:x",
    sharerSeed: "seed",
    inputs: ["/home/p/Straße"],
    keys: {},
    seed: true,
    wait: false,
    accept: [],
  });
  assert.deepEqual(
    { ...fetched, keys: {} },
    {
      id: "bbbbbbbbbbbbbbbb",
      role: "get",
      state: "failed",
      name: "",
      kind: "locked",
      profile: "strong",
      fileCount: null,
      size: null,
      packLength: 70,
      doneBytes: 5,
      downloadedBytes: 6,
      uploadedBytes: 7,
      output: "/home/p/in",
      paths: ["/home/p/in/a"],
      failure: { code: "E_NO_KEY", what: "a", why: "b", fix: "c" },
      leftOutCount: 0,
      skippedCount: 0,
      chosenSize: null,
      wantedBytes: null,
      createdMs: 2000,
      finishedMs: null,
      root: "b".repeat(64),
      link: "backroom:y",
      sharerSeed: null,
      inputs: [],
      keys: {},
      seed: false,
      wait: true,
      accept: ["dht"],
    },
  );
  assert.deepEqual(catalogue.tokens.byHash("c".repeat(64)), {
    id: "cccccccccccccccc",
    name: "page",
    browser: null,
    scopes: ["read"],
    hash: "c".repeat(64),
    createdMs: 3000,
    usedMs: 4000,
    expiresMs: null,
  });
  assert.deepEqual(catalogue.watches.list(), [
    { id: "dddddddddddddddd", folder: "/drop", profile: "standard", createdMs: 5000 },
  ]);
  const shared = { seen: "5 77", transfer: "aaaaaaaaaaaaaaaa" };
  assert.deepEqual([...catalogue.watches.shares("dddddddddddddddd")], [["film", shared]]);
  assert.equal(catalogue.value("risk"), true);
}

function backupVersions(place: TestCatalogue): number[] {
  return place.names("backup-migration-").map((name) => {
    const raw = new DatabaseSync(path.join(place.folder, name), { readOnly: true });
    const version = versionOf(raw);
    raw.close();
    return version;
  });
}

/** What the last of `laterVersions` left. */
function note(file: string): unknown {
  const raw = new DatabaseSync(file);
  try {
    return raw.prepare("SELECT note FROM watches").get()?.["note"];
  } finally {
    raw.close();
  }
}
