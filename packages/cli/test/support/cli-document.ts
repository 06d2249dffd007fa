import { homedir } from "node:os";
import type { Command } from "commander";
import type { z } from "zod";
import { SETTING_KEYS, SETTINGS } from "@backroom/daemon/settings/setting-table.ts";
import type { SettingKey } from "@backroom/daemon/settings/settings.ts";
import { EVENTS, RESULTS, type CommandPath } from "../../src/contract.ts";
import { commandPages, optionRows, type CommandPage, type CommandPart, type Row } from "./command-pages.ts";

const BEGIN = "<!-- What follows is made by `npm run docs:cli` from the commands themselves. -->";

/** docs/CLI.md with its made part made anew; what people wrote above it stays. */
export function cliDocument(before: string, program: Command): string {
  const at = before.indexOf(BEGIN);
  const written = at < 0 ? `${before.trimEnd()}\n\n` : before.slice(0, at);
  const lines = [
    BEGIN,
    "",
    "## Events",
    "",
    "Besides `result`; with `--json`, each is an object on a line of its own.",
    "",
    "| event | fields | |",
    "|---|---|---|",
    ...Object.entries(EVENTS).map(
      ([name, shape]) => `| \`${name}\` | ${fieldsText(shape)} | ${cell(describe(shape))} |`,
    ),
    "",
    "## Options of every command",
    "",
    ...table(optionRows(program)),
    "## Settings",
    "",
    "By key, with what each is when nobody says otherwise, and the variable of the environment that sets it.",
    "",
    "| key | default | | variable |",
    "|---|---|---|---|",
    ...SETTING_KEYS.map(settingRow),
    "",
    "## Commands",
    "",
    ...commandPages(program).flatMap(pageLines),
  ];
  return `${written}${lines.join("\n").trimEnd()}\n`;
}

function settingRow(key: SettingKey): string {
  const { default: usual, description, kind, environment } = SETTINGS[key];
  const text = usual === null ? "none" : usual === "" ? "nothing" : String(usual).replace(homedir(), "~");
  return `| \`${key}\` | ${text} | ${cell(description)}: ${cell(kind.expects)} | \`${environment}\` |`;
}

function pageLines({ name, aliases, description, parts, examples }: CommandPage): string[] {
  const isAlone = parts.length === 1 && parts[0]?.path === name;
  return [
    `### ${name}`,
    "",
    `${sentence(description)}${aliases.length === 0 ? "" : ` Also: ${aliases.map((one) => `\`${one}\``).join(", ")}.`}`,
    "",
    ...parts.flatMap((part) => [
      ...(isAlone ? [] : [`#### ${part.path}`, "", sentence(part.description), ""]),
      ...partLines(part),
    ]),
    ...(examples.length === 0
      ? []
      : ["```", ...examples.map(([line, what]) => `${line.padEnd(56)}  # ${what}`), "```", ""]),
  ];
}

function partLines({ path, usage, args, options }: CommandPart): string[] {
  const shape = (RESULTS as Record<string, z.ZodObject | null>)[path as CommandPath];
  return [
    "```",
    usage,
    "```",
    "",
    ...table([...args, ...options]),
    ...(shape === undefined
      ? []
      : [
          shape === null
            ? "`--json`: no `result`; it tells events until it is stopped."
            : `\`--json\`, \`result\`: ${fieldsText(shape)}.`,
          "",
        ]),
  ];
}

function table(rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  return [
    "| | |",
    "|---|---|",
    ...rows.map(({ term, text }) => `| \`${term.replaceAll("|", "\\|")}\` | ${cell(text)} |`),
    "",
  ];
}

function fieldsText(shape: z.ZodObject): string {
  return Object.entries(shape.shape)
    .map(([name, field]) => {
      const said = describe(field as z.ZodType);
      return said === "" ? `\`${name}\`` : `\`${name}\` (${said})`;
    })
    .join(", ");
}

function describe(schema: z.ZodType): string {
  return schema.description ?? "";
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
