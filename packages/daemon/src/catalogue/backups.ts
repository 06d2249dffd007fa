import { copyFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { checkDatabase } from "./check.ts";
import type { Database } from "./database.ts";
import { makePrivate, syncFile, syncNames } from "./files.ts";

/** Those of every day, and those made before a migration. One more is written before the oldest goes. */
const KEPT = { day: 3, migration: 2 } as const;
export type BackupReason = keyof typeof KEPT;

export interface Backup {
  readonly file: string;
  readonly madeMs: number;
  readonly reason: BackupReason;
}

const NAME = /^backup-(day|migration)-(\d{13,16})\.db$/;

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
  const temporary = path.join(folder, "backup.tmp");
  rmSync(temporary, { force: true });
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
  for (const { file } of listBackups(folder)
    .filter((one) => one.reason === reason)
    .slice(KEPT[reason]))
    rmSync(file);
}

/** Puts a backup where the catalogue belongs. The backup stays. */
export function restoreBackup({ file }: Backup, main: string): void {
  const temporary = `${main}.tmp`;
  rmSync(temporary, { force: true });
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
