import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { checkDatabase, checkTransfers } from "../catalogue/check.ts";
import { withCatalogueErrors } from "../catalogue/sqlite-error.ts";
import { row, type DoctorRow } from "./rows.ts";

/** `check` reads the catalogue as a whole; raises E_CATALOGUE_DAMAGED. */
export function databaseRow(check: () => void): DoctorRow {
  check();
  return row("database", "ok", "whole");
}

/** Where no daemon has it open. Nothing is written; a damaged one is set aside by the daemon's next start. */
export function closedDatabaseRow(file: string): DoctorRow {
  if (!existsSync(file)) return row("database", "ok", "none yet: the daemon makes it");
  try {
    return databaseRow(() =>
      withCatalogueErrors("the catalogue could not be read", () => {
        const db = new DatabaseSync(file, { readOnly: true });
        try {
          checkDatabase(db);
          checkTransfers(db);
        } finally {
          db.close();
        }
      }),
    );
  } catch (error) {
    if (!isBackroomError(error, "E_LOCKED")) throw error;
    return row("database", "unknown", "another process has it open");
  }
}
