import type { Answer } from "@backroom/api/routes.ts";
import { showableLine } from "../ui/showable.ts";
import type { Terminal } from "../ui/terminal.ts";
import { wrap } from "../ui/wrap.ts";

type Entry = Answer<"setSetting">;

const INDENT = 4;

/** As it is written to set it. */
export function valueText(value: Entry["value"]): string {
  return value === null ? "none" : String(value);
}

function shown(value: Entry["value"]): string {
  return value === "" ? '""' : showableLine(valueText(value));
}

/** A line for each setting, `key = value` and where that comes from where it is not the default, and below it what it is about. */
export function settingLines(
  entries: readonly Entry[],
  { columns, paint }: Pick<Terminal, "columns" | "paint">,
): string[] {
  return entries.flatMap(({ key, value, origin, description, expects, environment }) => {
    const from = origin === "default" ? "" : `   (${origin})`;
    const about = `${" ".repeat(INDENT)}${description}. It is ${expects}. Variable: ${environment}`;
    const folded = columns === undefined ? about : wrap(about, columns - 1);
    return [
      `${paint("cyan", key)} = ${shown(value)}${paint("yellow", from)}`,
      ...folded.split("\n").map((line) => paint("dim", line)),
    ];
  });
}
