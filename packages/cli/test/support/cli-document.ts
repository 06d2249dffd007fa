import { readFileSync } from "node:fs";

type Fields = ReadonlyMap<string, readonly string[]>;

const DOCUMENT = readFileSync(new URL("../../../../docs/CLI.md", import.meta.url), "utf8");

/** The fields of each event, as docs/CLI.md lists them. */
export const EVENT_FIELDS: Fields = fieldsOf("event");
/** The fields of each command's `result`. */
export const RESULT_FIELDS: Fields = fieldsOf("command");

/** Rows of the table with that first heading: the names in backquotes of its first cell, each with those of its last, asides left out. */
function fieldsOf(heading: string): Fields {
  const rows = DOCUMENT.split(`\n| ${heading} |`)[1]?.split("\n\n")[0]?.split("\n").slice(2) ?? [];
  const fields = new Map<string, readonly string[]>();
  for (const row of rows) {
    const cells = row.split(" | ");
    const listed = namesIn((cells.at(-1) ?? "").replaceAll(/\([^)]*\)/g, ""));
    for (const name of namesIn(cells[0] ?? "")) fields.set(name, listed);
  }
  return fields;
}

function namesIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
}
