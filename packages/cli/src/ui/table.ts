import { cut, displayWidth } from "./display-width.ts";
import { showableLine } from "./showable.ts";
import { wrap } from "./wrap.ts";

export interface Column<Row> {
  readonly title: string;
  readonly align: "left" | "right";
  /** Made showable here. */
  text(row: Row): string;
  /** Paints the cell once it has its width. */
  paint?(cell: string, row: Row): string;
}

export interface TableOptions {
  /** Of the terminal; undefined where nobody watches, and then nothing is cut off. */
  readonly columns: number | undefined;
}

const GAP = "  ";
/** A last column is never cut below this, even if lines then wrap. */
const LEAST_LAST = 8;

/**
 * Lines of a table, title first, as wide as their longest cells; where that is more than the terminal has, the last column is cut off. Widths are
 * what a terminal shows: two for East Asian letters, none for marks that combine.
 */
export function tableLines<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: TableOptions,
): string[] {
  const cells = rows.map((row) => columns.map((column) => showableLine(column.text(row))));
  const widths = columns.map((column, at) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[at] ?? ""))),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const room = options.columns === undefined ? Infinity : options.columns - 1 - before;
  const last = columns.length - 1;
  widths[last] = Math.min(widths[last] ?? 0, Math.max(LEAST_LAST, room));
  const lineOf = (texts: readonly string[], row?: Row): string =>
    texts
      .map((text, at) => {
        const column = columns[at] as Column<Row>;
        const padded = pad(cut(text, widths[at] ?? 0), widths[at] ?? 0, column.align, at === last);
        return row === undefined ? padded : (column.paint?.(padded, row) ?? padded);
      })
      .join(GAP)
      .trimEnd();
  return [lineOf(columns.map(({ title }) => title)), ...cells.map((line, at) => lineOf(line, rows[at]))];
}

/** `Name: value` lines (without a name: more of the same) with the values in one column, folded below themselves where a terminal is too narrow for them. */
export function factLines(
  facts: readonly (readonly [string, string])[],
  columns: number | undefined,
): string[] {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  return facts.flatMap(([name, value]) => {
    const line = `${(name === "" ? "" : `${name}:`).padEnd(width)}${showableLine(value)}`;
    // Without a name the line begins with blanks, which `wrap` keeps by itself.
    const hang = name === "" ? 0 : width;
    return columns === undefined ? [line] : wrap(line, columns - 1, hang).split("\n");
  });
}

function pad(text: string, width: number, align: "left" | "right", isLast: boolean): string {
  const blank = " ".repeat(Math.max(0, width - displayWidth(text)));
  if (align === "right") return blank + text;
  return isLast ? text : text + blank;
}
