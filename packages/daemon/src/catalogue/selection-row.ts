import { FILE_PRIORITIES } from "@backroom/api/words.ts";
import type { FileChoice } from "@backroom/core/pack/selection.ts";
import type { StoredSelection } from "./catalogue.ts";
import { damaged } from "./sqlite-error.ts";
import { jsonOf, type Cell, type Row } from "./transfer-row.ts";

export const PUT_SELECTION = `INSERT INTO selections (transfer, choices, opened, held) VALUES (:transfer, :choices, :opened, :held)
  ON CONFLICT (transfer) DO UPDATE SET choices = excluded.choices, opened = excluded.opened, held = excluded.held`;

const PRIORITIES: ReadonlySet<unknown> = new Set(FILE_PRIORITIES);

/** For PUT_SELECTION. */
export function selectionRow(transfer: string, { choices, opened, held }: StoredSelection): Row {
  return {
    transfer,
    choices: JSON.stringify(choices),
    opened: opened === null ? null : JSON.stringify(opened),
    held,
  };
}

/** A row of the table. Raises E_CATALOGUE_DAMAGED for what `selectionRow` never writes. */
export function storedSelection(row: Readonly<Record<string, Cell>>): StoredSelection {
  const opened = row["opened"];
  return {
    choices: choicesOf(row["choices"]),
    opened: opened === null ? null : choicesOf(opened),
    held: row["held"] as string | null,
  };
}

function choicesOf(cell: Cell | undefined): FileChoice[] {
  const value = jsonOf(cell);
  if (!Array.isArray(value) || !value.every((one) => isChoice(one))) {
    throw damaged("a choice of files in the catalogue is none");
  }
  return value;
}

function isChoice(value: unknown): value is FileChoice {
  const { path, priority } = (value ?? {}) as Record<string, unknown>;
  return typeof path === "string" && PRIORITIES.has(priority);
}
