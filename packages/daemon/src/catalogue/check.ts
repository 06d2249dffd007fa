import type { DatabaseSync } from "node:sqlite";
import { storedSelection } from "./selection-row.ts";
import { failureOf, stringsOf, type Cell, type Row } from "./transfer-row.ts";
import { damaged } from "./sqlite-error.ts";

/**
 * Reads the whole file: its pages, and by the tables' own checks what is in them. Raises E_CATALOGUE_DAMAGED. What it cannot see is a value that became another
 * one of the same form; links and packs carry checksums of their own for that.
 */
export function checkDatabase(db: DatabaseSync): void {
  const found = db.prepare("PRAGMA integrity_check(1)").get()?.["integrity_check"];
  if (found !== "ok") throw damaged("the catalogue's file is damaged");
  if (db.prepare("PRAGMA foreign_key_check").get() !== undefined) {
    throw damaged("the catalogue's tables do not fit each other");
  }
}

/** Reads what the tables' checks do not see through: what one transfer cannot be made of, a list would stumble over each time. Raises E_CATALOGUE_DAMAGED. */
export function checkTransfers(db: DatabaseSync): void {
  for (const row of db.prepare("SELECT paths, inputs, accept, failure FROM transfers").iterate()) {
    for (const name of ["paths", "inputs", "accept"]) stringsOf(row[name] as Cell);
    failureOf(row["failure"] as Cell);
  }
  for (const row of db.prepare("SELECT recipients FROM keys WHERE recipients IS NOT NULL").iterate()) {
    stringsOf(row["recipients"] as Cell);
  }
  // A file of version 1, before it is brought to the next one, has none.
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'selections'").get() !== undefined) {
    for (const row of db.prepare("SELECT choices, opened, held FROM selections").iterate()) {
      storedSelection(row as Row);
    }
  }
  const rows =
    "SELECT (SELECT count(*) FROM transfers) AS transfers, (SELECT count(*) FROM counts) AS counts";
  const { transfers, counts } = db.prepare(rows).get() ?? {};
  if (transfers !== counts) throw damaged("a transfer in the catalogue has no counts");
}
