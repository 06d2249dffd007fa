import { existsSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { codeOf, isBackroomError } from "@backroom/core/base/errors.ts";
import { BackupSchedule } from "./backup-schedule.ts";
import { listBackups, makeBackup, removeTemporaries, restoreBackup } from "./backups.ts";
import type { Catalogue } from "./catalogue.ts";
import { checkDatabase, checkTransfers } from "./check.ts";
import { BUSY_MS, Database } from "./database.ts";
import {
  catalogueIn,
  companionsOf,
  makeFolder,
  makePrivate,
  removeWhole,
  renameWhole,
  syncNames,
  type CatalogueFiles,
} from "./files.ts";
import { checkForm, migrate, versionOf } from "./migrate.ts";
import { MIGRATIONS, type Migration } from "./migrations.ts";
import type { Recovery } from "./recovery.ts";
import { Reserve } from "./reserve.ts";
import { SqliteCatalogue } from "./sqlite-catalogue.ts";
import { catalogueError, damaged, withCatalogueErrors } from "./sqlite-error.ts";
import { Writer, type WriterDeps } from "./writer.ts";

export interface OpenedCatalogue {
  readonly catalogue: Catalogue;
  /** Undefined where all was well. */
  readonly recovery: Recovery | undefined;
}

/**
 * Opens the catalogue of a data folder, making it where it is not there, and checks it as a whole: what opens can be read. One that is damaged is renamed, never
 * removed, and the newest backup that is whole takes its place. Raises E_LOCKED while another process has it open, E_CATALOGUE_VERSION, E_STORE, E_DISK_FULL.
 */
export function openCatalogue(
  dataFolder: string,
  deps: WriterDeps,
  migrations: readonly Migration[] = MIGRATIONS,
): OpenedCatalogue {
  return withCatalogueErrors("the catalogue could not be opened", () => {
    const files = catalogueIn(dataFolder);
    makeFolder(files.folder);
    removeTemporaries(files.folder);
    const { raw, recovery } = openWhole(files, deps, migrations);
    const db = new Database(raw);
    const backups = new BackupSchedule(db, files.folder, deps);
    const reserve = new Reserve(files.folder);
    reserve.keep();
    const writer = new Writer(db, deps, { change: () => backups.changed(), cleaned: () => reserve.keep() });
    if (db.get("SELECT 1 FROM transfers") !== undefined) backups.changed();
    return { catalogue: new SqliteCatalogue(db, writer, { backups, reserve }), recovery };
  });
}

/**
 * Reads the whole catalogue of a data folder that no daemon uses, and changes nothing that can be seen. False where there is none. Raises
 * E_CATALOGUE_DAMAGED, E_LOCKED while a daemon has it open, E_STORE.
 */
export function checkCatalogue(dataFolder: string): boolean {
  const { main } = catalogueIn(dataFolder);
  if (!existsSync(main)) return false;
  return withCatalogueErrors("the catalogue could not be read", () => {
    const raw = new DatabaseSync(main, { timeout: BUSY_MS });
    try {
      configure(raw);
      checkForm(raw, MIGRATIONS);
      checkDatabase(raw);
      // An older one's rows have another form, and are read when it is brought to this version.
      if (versionOf(raw) === MIGRATIONS.at(-1)?.version) checkTransfers(raw);
      return true;
    } finally {
      raw.close();
    }
  });
}

function openWhole(
  files: CatalogueFiles,
  deps: WriterDeps,
  migrations: readonly Migration[],
): { raw: DatabaseSync; recovery: Recovery | undefined } {
  const backups = listBackups(files.folder);
  let setAside: string | null = null;
  if (existsSync(files.main)) {
    // An empty file beside backups is what became of a catalogue, not one that is new.
    const raw = unlessDamaged(() => openReady(files, deps, migrations, backups.length === 0));
    if (raw !== undefined) return { raw, recovery: undefined };
    setAside = moveAside(files, deps.clock.nowMs());
  } else if (companionsOf(files.main).length > 0) {
    // A write-ahead log would be taken for the new file's.
    setAside = moveAside(files, deps.clock.nowMs());
  } else if (backups.length === 0) {
    return { raw: openReady(files, deps, migrations, true), recovery: undefined };
  }
  for (const backup of backups) {
    restoreBackup(backup, files.main);
    const raw = unlessDamaged(() => openReady(files, deps, migrations, false));
    if (raw !== undefined) return { raw, recovery: { setAside, backupMs: backup.madeMs } };
    removeWhole(files.main);
  }
  return { raw: openReady(files, deps, migrations, true), recovery: { setAside, backupMs: null } };
}

function unlessDamaged(open: () => DatabaseSync): DatabaseSync | undefined {
  try {
    return open();
  } catch (error) {
    if (isBackroomError(error, "E_CATALOGUE_DAMAGED")) return undefined;
    throw error;
  }
}

/** The connection, with the file checked and of the newest version. Raises what `openCatalogue` does, and E_CATALOGUE_DAMAGED. */
function openReady(
  files: CatalogueFiles,
  deps: WriterDeps,
  migrations: readonly Migration[],
  mayBeNew: boolean,
): DatabaseSync {
  makePrivate(files.main);
  syncNames(files.folder);
  return withCatalogueErrors("the catalogue could not be opened", () => {
    const raw = new DatabaseSync(files.main, { timeout: BUSY_MS });
    try {
      configure(raw);
      const version = versionOf(raw);
      if (version === 0 && !mayBeNew) throw damaged("the catalogue's file is empty");
      checkForm(raw, migrations);
      checkDatabase(raw);
      const newest = migrations.at(-1)?.version ?? 0;
      if (version === newest) checkTransfers(raw);
      if (version > 0 && version < newest) {
        makeBackup(new Database(raw), files.folder, "migration", deps.clock.nowMs());
      }
      migrate(raw, migrations);
      emptyLog(raw, deps);
      return raw;
    } catch (error) {
      raw.close();
      throw error;
    }
  });
}

/** What a killed process left in the write-ahead log, secrets that were removed among it. Where a full disk keeps it there, it counts all the same. */
function emptyLog(raw: DatabaseSync, { log }: WriterDeps): void {
  try {
    raw.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (error) {
    log("warn", "the catalogue's write-ahead log could not be emptied", {
      code: codeOf(catalogueError(error, "the log could not be emptied")),
    });
  }
}

function configure(raw: DatabaseSync): void {
  // Exclusive first: then the log's index is in memory of this process instead of a mapped file, and a second daemon finds the file locked.
  raw.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  // What is removed is overwritten; sorting does not spill names into files elsewhere.
  raw.exec("PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY");
  // A damaged or forged file gets no further than it has to.
  raw.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
  // Takes the lock for as long as the file is open.
  raw.exec("BEGIN IMMEDIATE; COMMIT");
}

/** Where the damaged file is now. */
function moveAside({ folder, main }: CatalogueFiles, nowMs: number): string {
  let to = path.join(folder, `damaged-${nowMs}.db`);
  for (let next = 2; existsSync(to) || companionsOf(to).length > 0; next++) {
    to = path.join(folder, `damaged-${nowMs}-${next}.db`);
  }
  renameWhole(main, to);
  syncNames(folder);
  return to;
}
