import type { DatabaseSync } from "node:sqlite";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { checkDatabase } from "./check.ts";
import { APPLICATION_ID, type Migration } from "./migrations.ts";
import { damaged } from "./sqlite-error.ts";

/** No file of ours will ever have as many: whatever names a later one is damage, not the future. */
const MOST_VERSIONS = 10_000;

/** Of the file's form; 0 for one that is new. Raises E_CATALOGUE_DAMAGED for another program's file. */
export function versionOf(db: DatabaseSync): number {
  const version = pragma(db, "user_version");
  if (version < 0 || version > MOST_VERSIONS) throw damaged("the catalogue's version makes no sense");
  if (version > 0 && pragma(db, "application_id") !== APPLICATION_ID) {
    throw damaged("the catalogue's file is another program's");
  }
  return version;
}

/**
 * Brings the file to the newest version, a step a transaction: a crash leaves the version before the step, whole. Forward only. Raises what SQLite raises, and
 * E_CATALOGUE_VERSION for a file that is ahead of `migrations`.
 */
export function migrate(db: DatabaseSync, migrations: readonly Migration[]): void {
  const from = versionOf(db);
  const newest = migrations.at(-1)?.version ?? 0;
  if (from > newest) {
    throw new BackroomError(
      "E_CATALOGUE_VERSION",
      `the catalogue has version ${from}, and this program knows up to ${newest}`,
    );
  }
  for (const migration of migrations) {
    const { version } = migration;
    if (version <= from) continue;
    // A table that others refer to can be made anew only while nobody looks, and this cannot be turned off inside a transaction.
    db.exec("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE");
    try {
      migration.run(db);
      checkDatabase(db);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}; COMMIT`);
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }
  db.exec("PRAGMA foreign_keys = ON");
}

function pragma(db: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}
