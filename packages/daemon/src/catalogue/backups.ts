import { copyFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { checkDatabase } from "./check.ts";
import type { Database } from "./database.ts";
import { makePrivate, syncFile, syncNames } from "./files.ts";

/** Those that are made while things change, and those made before a migration. One more is written before the oldest goes. */
const KEPT = { regular: 3, migration: 2 } as const;
export type BackupReason = keyof typeof KEPT;

export interface Backup {
  readonly file: string;
  readonly madeMs: number;
  readonly reason: BackupReason;
}

const BACKUP_TEMPORARY = "backup.tmp";
const RESTORE_TEMPORARY = "restore.tmp";
const NAME = /^backup-(regular|migration)-(\d{13,16})\.db$/;

/** What a killed process left half done, passwords perhaps among it. To be called before anything else. */
export function removeTemporaries(folder: string): void {
  for (const name of [BACKUP_TEMPORARY, RESTORE_TEMPORARY]) rmSync(path.join(folder, name), { force: true });
}

/** The newest first. */
export function listBackups(folder: string): Backup[] {
  const backups: Backup[] = [];
  for (const name of readdirSync(folder)) {
    const [, reason, madeMs] = NAME.exec(name) ?? [];
    if (madeMs === undefined) continue;
    backups.push({ file: path.join(folder, name), madeMs: Number(madeMs), reason: reason as BackupReason });
  }
  return backups.sort((a, b) => b.madeMs - a.madeMs);
}

/**
 * Writes a whole copy of `db`, without passwords, keys and recipients, and checks it before it counts as one; then the oldest ones go. Raises what reading and
 * writing raises, and then everything is as before.
 */
export function makeBackup(db: Database, folder: string, reason: BackupReason, nowMs: number): void {
  const temporary = path.join(folder, BACKUP_TEMPORARY);
  try {
    // VACUUM writes into an empty file, too, and one that is there keeps its mode.
    makePrivate(temporary);
    db.run("VACUUM INTO :file", { file: temporary });
    withoutKeys(temporary);
    syncFile(temporary);
    renameSync(temporary, path.join(folder, `backup-${reason}-${nowMs}.db`));
  } finally {
    rmSync(temporary, { force: true });
  }
  syncNames(folder);
  removeBackups(
    listBackups(folder)
      .filter((one) => one.reason === reason)
      .slice(KEPT[reason]),
  );
}

export function removeBackups(backups: readonly Backup[]): void {
  for (const { file } of backups) rmSync(file, { force: true });
}

/** Puts a backup where the catalogue belongs. The backup stays. */
export function restoreBackup({ file }: Backup, main: string): void {
  const temporary = path.join(path.dirname(main), RESTORE_TEMPORARY);
  makePrivate(temporary);
  copyFileSync(file, temporary);
  syncFile(temporary);
  renameSync(temporary, main);
  syncNames(path.dirname(main));
}

/** A journal on the disk would have what is removed here. */
function withoutKeys(file: string): void {
  const copy = new DatabaseSync(file);
  try {
    copy.exec("PRAGMA journal_mode = MEMORY; PRAGMA secure_delete = ON; DELETE FROM keys");
    checkDatabase(copy);
  } finally {
    copy.close();
  }
}
