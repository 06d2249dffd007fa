import { DatabaseSync } from "node:sqlite";
import { catalogueIn, makeFolder } from "../../src/catalogue/files.ts";
import { migrate } from "../../src/catalogue/migrate.ts";
import { MIGRATIONS, type Migration } from "../../src/catalogue/migrations.ts";

/** A data folder's catalogue as version 1 wrote it: a share, a download with a password, a token, a watch, a value. */
export function writeVersion1(dataFolder: string): void {
  const { folder, main } = catalogueIn(dataFolder);
  makeFolder(folder);
  const raw = new DatabaseSync(main);
  migrate(raw, MIGRATIONS.slice(0, 1));
  raw.exec(`
    INSERT INTO transfers VALUES ('aaaaaaaaaaaaaaaa', 1000, NULL, 'share', 'active', 'Straße', 'STRASSE', 'read', 'standard', 3, 20, 30, 1,
      NULL, '[]', NULL, '${"a".repeat(64)}', 'backroom:x', 'seed', '["/home/p/Straße"]', 1, 0, '[]');
    INSERT INTO counts VALUES ('aaaaaaaaaaaaaaaa', 30, 0, 99);
    INSERT INTO transfers VALUES ('bbbbbbbbbbbbbbbb', 2000, NULL, 'get', 'failed', '', '', 'locked', 'strong', NULL, NULL, 70, 0,
      '/home/p/in', '["/home/p/in/a"]', '{"code":"E_NO_KEY","what":"a","why":"b","fix":"c"}', '${"b".repeat(64)}', 'backroom:y', NULL, '[]', 0, 1, '["dht"]');
    INSERT INTO counts VALUES ('bbbbbbbbbbbbbbbb', 5, 6, 7);
    INSERT INTO keys VALUES ('bbbbbbbbbbbbbbbb', 'a password', NULL, NULL);
    INSERT INTO tokens VALUES ('cccccccccccccccc', 'page', '["read"]', '${"c".repeat(64)}', 3000, 4000, NULL);
    INSERT INTO watches VALUES ('dddddddddddddddd', '/drop', 'standard', 5000);
    INSERT INTO watch_shares VALUES ('dddddddddddddddd', 'film', '5 77', 'aaaaaaaaaaaaaaaa');
    INSERT INTO "values" VALUES ('risk', 'true');
  `);
  raw.close();
}

/** Versions after the newest, as a release to come may have them: each makes a table anew that others refer to, and a place for what it is asked to note. */
export function laterVersions(count: number, during?: (version: number) => void): Migration[] {
  const newest = MIGRATIONS.at(-1)?.version ?? 0;
  const later = Array.from({ length: count }, (_, at) => newest + 1 + at).map((version): Migration => ({
    version,
    run: (db) => {
      db.exec(`
          CREATE TABLE anew (id TEXT NOT NULL PRIMARY KEY, folder TEXT NOT NULL, profile TEXT NOT NULL, created_ms INTEGER NOT NULL, note TEXT) STRICT, WITHOUT ROWID;
          INSERT INTO anew SELECT id, folder, profile, created_ms, 'version ${version}' FROM watches;
          DROP TABLE watches;`);
      during?.(version);
      db.exec("ALTER TABLE anew RENAME TO watches");
    },
  }));
  return [...MIGRATIONS, ...later];
}
