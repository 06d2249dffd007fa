import type { Command } from "commander";
import { VERSION } from "../../src/version.ts";
import { commandPages, EXITS, optionRows, type CommandPage, type Row } from "./command-pages.ts";

/** The man pages by file name: one of the program, and one of each command. */
export function manPages(program: Command): ReadonlyMap<string, string> {
  const pages = commandPages(program);
  const made = new Map([["backroom.1", programPage(program, pages)]]);
  for (const page of pages) made.set(`backroom-${page.name}.1`, commandPage(page));
  return made;
}

function programPage(program: Command, pages: readonly CommandPage[]): string {
  return document([
    title("backroom"),
    ...section("NAME", [`backroom \\- ${text("share files with a link, over relays of other members")}`]),
    ...section("SYNOPSIS", [".B backroom", text("[options] <command> [arguments]")]),
    ...section("DESCRIPTION", [
      text(program.description()),
      text(
        "Files are compressed and encrypted in one pass, and whoever has the link fetches them from whoever holds them, through relays that other " +
          "members run. A daemon in the background shares and fetches; commands tell it what to do. Results go to standard output, and " +
          "everything else to standard error.",
      ),
    ]),
    ...section(
      "COMMANDS",
      pages.flatMap(({ name, description }) => [
        ".TP",
        `.BR backroom\\-${text(name)} (1)`,
        text(description),
      ]),
    ),
    ...section("OPTIONS OF EVERY COMMAND", definitions(optionRows(program))),
    ...section("EXIT STATUS", definitions(EXITS.map(([exit, what]) => ({ term: String(exit), text: what })))),
    ...section("ENVIRONMENT", definitions(ENVIRONMENT)),
  ]);
}

const ENVIRONMENT: readonly Row[] = [
  {
    term: "BACKROOM_FOREGROUND",
    text: "share, get and relay work in their own process, as with --foreground",
  },
  { term: "BACKROOM_PROXY", text: "as --proxy" },
  { term: "BACKROOM_LOG", text: "as --log-level" },
  { term: "BACKROOM_DEBUG", text: "1 has a fault of the program say where in its source it arose" },
  { term: "NO_COLOR", text: "no colours, where it is not empty" },
];

function commandPage({ name, aliases, description, parts, examples }: CommandPage): string {
  const isAlone = parts.length === 1 && parts[0]?.path === name;
  return document([
    title(`backroom-${name}`),
    ...section("NAME", [`backroom\\-${text(name)} \\- ${text(description)}`]),
    ...section(
      "SYNOPSIS",
      parts.flatMap(({ usage }, at) => [...(at === 0 ? [] : [".br"]), `.B ${text(usage)}`]),
    ),
    ...(aliases.length === 0 ? [] : section("ALSO CALLED", [text(aliases.join(", "))])),
    ...(isAlone
      ? section("DESCRIPTION", [text(sentence(description))])
      : [...section("DESCRIPTION", [text(sentence(description))]), ".SH COMMANDS"]),
    ...parts.flatMap((part) => [
      ...(isAlone ? [".SH OPTIONS"] : [`.SS ${text(part.path)}`, text(sentence(part.description))]),
      ...definitions([...part.args, ...part.options]),
    ]),
    ...(examples.length === 0
      ? []
      : section(
          "EXAMPLES",
          examples.flatMap(([line, what]) => [".TP", `.B ${text(line)}`, text(what)]),
        )),
    ...section("SEE ALSO", [".BR backroom (1)"]),
  ]);
}

/** Without a date, which would change with nothing else. */
function title(name: string): string {
  return `.TH ${name.toUpperCase()} 1 "" "Backroom ${VERSION}" "Backroom"`;
}

function section(name: string, lines: readonly string[]): string[] {
  return [`.SH ${name}`, ...lines];
}

function definitions(rows: readonly Row[]): string[] {
  return rows.flatMap(({ term, text: said }) => [".TP", `.B ${text(term)}`, text(said)]);
}

function document(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

/** Text that roff takes for text: no escapes, no requests at the beginning, and letters beyond ASCII by their number. */
function text(plain: string): string {
  const escaped = plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replace(/[^\u0020-\u007e]/gu, (letter) => {
      const code = (letter.codePointAt(0) ?? 0).toString(16).toUpperCase();
      return `\\[u${code.padStart(4, "0")}]`;
    });
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function sentence(plain: string): string {
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}.`;
}
