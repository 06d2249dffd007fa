/** A table of the report, as `npm run sim` prints it and `docs/SCALING.md` keeps it. Cells are text: whoever makes it knows the unit. */
export interface Table {
  /** Names it in the document, between `<!-- sim: name -->` and `<!-- end -->`. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function formatTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

/** The document with what stands between the table's marks replaced; `made` says by what and in what time. Raises when it has no such marks: a table must not get lost. */
export function withTable(document: string, table: Table, made: string): string {
  const start = `<!-- sim: ${table.name} -->`;
  const from = document.indexOf(start);
  const to = document.indexOf("<!-- end -->", from);
  if (from < 0 || to < 0) throw new Error(`the document has no place for the table ${table.name}`);
  return `${document.slice(0, from + start.length)}\n\n${formatTable(table)}\n\n${made}\n\n${document.slice(to)}`;
}

export function percent(share: number, digits = 0): string {
  return Number.isNaN(share) ? "–" : `${(100 * share).toFixed(digits)} %`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Three significant digits, for figures over many magnitudes. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return "–";
  if (value !== 0 && Math.abs(value) < 100) return value.toPrecision(3);
  return count(value);
}
