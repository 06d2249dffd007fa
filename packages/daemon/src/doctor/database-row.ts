import { isBackroomError } from "@backroom/core/base/errors.ts";
import { checkCatalogue } from "../catalogue/open-catalogue.ts";
import { row, type DoctorRow } from "./rows.ts";

/** `check` reads the catalogue as a whole; raises E_CATALOGUE_DAMAGED. */
export function databaseRow(check: () => void): DoctorRow {
  check();
  return row("database", "ok", "whole");
}

/** Of a data folder whose catalogue no daemon has open. A damaged one is set aside by the daemon's next start. */
export function closedDatabaseRow(root: string): DoctorRow {
  try {
    return checkCatalogue(root)
      ? row("database", "ok", "whole")
      : row("database", "ok", "none yet: the daemon makes it");
  } catch (error) {
    if (!isBackroomError(error, "E_LOCKED")) throw error;
    return row("database", "unknown", "another process has it open");
  }
}
