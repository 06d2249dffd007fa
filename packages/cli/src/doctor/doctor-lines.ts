import type { Answer } from "@backroom/api/routes.ts";
import { showableLine } from "../ui/showable.ts";
import type { Color, Terminal } from "../ui/terminal.ts";
import { wrap } from "../ui/wrap.ts";

type Row = Answer<"doctor">["rows"][number];

const COLORS: Readonly<Record<Row["status"], Color>> = {
  ok: "green",
  warn: "yellow",
  fail: "red",
  unknown: "dim",
};
const STATUS_WIDTH = 9;
const GAP = 2;

/**
 * Two tables: what the computer is beside what is needed, and how Backroom does on it; below a row what to do about it. The status is a word, so that
 * nothing hangs on colours.
 */
export function doctorLines(
  rows: readonly Row[],
  { columns, paint }: Pick<Terminal, "columns" | "paint">,
): string[] {
  const needs = rows.filter(({ minimum }) => minimum !== null);
  const others = rows.filter(({ minimum }) => minimum === null);
  const nameWidth = widest(["This computer", ...rows.map(({ check }) => check)]);
  const least = widest(["at least", ...needs.map(({ minimum }) => minimum ?? "")]);
  const recommendedWidth = widest(["recommended", ...needs.map(({ recommended }) => recommended ?? "")]);

  const table = (title: string, heads: readonly string[], some: readonly Row[]): string[] => {
    const widths = heads.length > 0 ? [least, recommendedWidth] : [];
    const indent = nameWidth + STATUS_WIDTH + widths.reduce((sum, width) => sum + width, 0);
    const head = [
      title.padEnd(nameWidth + STATUS_WIDTH),
      ...heads.map((text, at) => text.padEnd(widths[at] ?? 0)),
    ];
    return [
      ...(heads.length > 0 ? [paint("dim", `${head.join("")}has`)] : [paint("dim", title)]),
      ...some.flatMap((row) => {
        const { check, status, found, fix, minimum, recommended } = row;
        const limits = [minimum ?? "", recommended ?? ""].slice(0, widths.length);
        const start = [
          check.padEnd(nameWidth),
          status.padEnd(STATUS_WIDTH),
          ...limits.map((text, at) => text.padEnd(widths[at] ?? 0)),
        ].join("");
        const [first = "", ...more] = folded(start + showableLine(found), indent, columns);
        const painted =
          first.slice(0, nameWidth) +
          paint(COLORS[status], first.slice(nameWidth, nameWidth + status.length)) +
          first.slice(nameWidth + status.length);
        const hint = fix === null ? [] : folded(`${" ".repeat(nameWidth)}${showableLine(fix)}`, 0, columns);
        return [painted, ...more, ...hint.map((line) => paint("dim", line))];
      }),
    ];
  };

  return [
    ...table("This computer", ["at least", "recommended"], needs),
    "",
    ...table("Backroom on it", [], others),
  ];
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map(({ length }) => length)) + GAP;
}

/** Without a terminal a line is a row. */
function folded(text: string, hang: number, columns: number | undefined): string[] {
  return columns === undefined ? [text] : wrap(text, columns - 1, hang).split("\n");
}
