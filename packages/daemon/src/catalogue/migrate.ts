import { DatabaseSync } from "node:sqlite";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import { checkDatabase, checkTransfers } from "./check.ts";
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
  for (const migration of migrations)
    if (migration.version > from) step(db, migration, migration.version === newest);
  db.exec("PRAGMA foreign_keys = ON");
}

function step(db: DatabaseSync, migration: Migration, isLast: boolean): void {
  const { version } = migration;
  // A table that others refer to can be made anew only while nobody looks, and this cannot be turned off inside a transaction.
  db.exec("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE");
  try {
    migration.run(db);
    checkDatabase(db);
    if (isLast) checkTransfers(db);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}; COMMIT`);
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    if (!isBackroomError(error, "E_CATALOGUE_DAMAGED")) throw error;
    // The file was sound before: this is our fault, for which nothing must be set aside.
    throw new Error(`version ${version} of the catalogue does not come out whole`, { cause: error });
  }
}

/** The tables have to be those that the migrations make: SQLite itself takes every form that can be read. Raises E_CATALOGUE_DAMAGED. */
export function checkForm(db: DatabaseSync, migrations: readonly Migration[]): void {
  const version = versionOf(db);
  const known = migrations.filter((migration) => migration.version <= version);
  if (known.at(-1)?.version !== version) return;
  const model = new DatabaseSync(":memory:");
  try {
    migrate(model, known);
    if (formOf(db) !== formOf(model))
      throw damaged("the catalogue's tables are not those that they should be");
  } finally {
    model.close();
  }
}

function formOf(db: DatabaseSync): string {
  return JSON.stringify(db.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").all());
}

function pragma(db: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}
