import { Command, Option } from "commander";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LOG_LEVELS } from "@backroom/core/base/log.ts";
import { COMMANDS, type CommandEntry } from "./commands/table.ts";
import type { LogSettings } from "./log.ts";
import { EXAMPLES } from "./reference/examples.ts";
import type { Run } from "./session.ts";
import { parsePlace } from "./ui/arguments.ts";
import { VERSION } from "./version.ts";
import { walk } from "./walk-commands.ts";

/** The options of every command. */
export interface GlobalOptions extends LogSettings {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly data?: string;
  readonly proxy?: string;
  readonly lan?: boolean;
  readonly config?: string;
  readonly acceptRisk?: boolean;
}

/** The program without its commands. Help goes to `stdout`, as wide as that is. */
export function createProgram(stdout: NodeJS.WriteStream): Command {
  return (
    new Command("backroom")
      .description("Share files with a link. Nobody learns anybody's address.")
      .version(VERSION, "-V, --version")
      .option(
        "--data <folder>",
        "where this member keeps keys, networks and packs (default: the platform's data folder)",
        parsePlace,
      )
      .addOption(
        new Option(
          "--proxy <url>",
          "connect to relays through this SOCKS 5 proxy only, such as Tor's socks5://127.0.0.1:9050; @file reads it from a file",
        ).env("BACKROOM_PROXY"),
      )
      .option(
        "--lan",
        "look for relays on the local network, too; a relay answers there (default: backroom net lan)",
      )
      .addOption(
        new Option(
          "--config <file>",
          "the settings file (default: config.toml in the platform's folder for such files)",
        ).env("BACKROOM_CONFIG"),
      )
      .option("--accept-risk", "run on a computer with less than 4 GiB of memory (remembered)")
      .option("--json", "write JSON lines to standard output instead of text")
      .option("-q, --quiet", "say nothing but results and errors")
      .addOption(
        new Option("--log-level <level>", "write a log, to standard error unless --log-file says where")
          .choices(LOG_LEVELS)
          .env("BACKROOM_LOG"),
      )
      .option("--log-file <file>", "write the log (level info unless --log-level says more) into this file")
      .helpCommand(false)
      .exitOverride()
      // Errors of usage are reported like all others.
      .configureOutput({
        outputError: () => {},
        writeOut: (text) => void stdout.write(text),
        getOutHelpWidth: () => (stdout.isTTY ? stdout.columns : 80),
      })
  );
}

/** The whole tree: for help, the reference, completion, and to find what somebody may have meant. */
export async function addAllCommands(program: Command, run: Run): Promise<void> {
  await addCommands(program, COMMANDS, run);
}

/** Only the command that these arguments name, where they name one; otherwise all. */
export async function addCommandOf(args: readonly string[], program: Command, run: Run): Promise<void> {
  const named = commandOf(args, program);
  await addCommands(program, named === undefined ? COMMANDS : [named], run);
}

/** The entry of the command that these arguments name. */
export function commandOf(args: readonly string[], program: Command): CommandEntry | undefined {
  const word = commandWord(args, program);
  return word === undefined ? undefined : COMMANDS.find(({ names }) => names.includes(word));
}

async function addCommands(program: Command, entries: readonly CommandEntry[], run: Run): Promise<void> {
  const adders = await Promise.all(entries.map((entry) => entry.load()));
  for (const [index, add] of adders.entries()) {
    const { group, isHidden } = entries[index] as CommandEntry;
    if (isHidden !== true) program.commandsGroup(group);
    add(program, run);
  }
  for (const command of program.commands) {
    withoutHelpCommands(command);
    command.addHelpText("after", () => examplesText(command.name()));
  }
}

function examplesText(name: string): string {
  const lines = EXAMPLES[name]?.flatMap(([line, what]) => [`  ${line}`, `      ${what}`]) ?? [];
  return lines.length === 0 ? "" : ["", "Examples:", ...lines].join("\n");
}

/** `--help` says the same, and a command that only says so would stand in every list. */
function withoutHelpCommands(command: Command): void {
  command.helpCommand(false);
  for (const sub of command.commands) withoutHelpCommands(sub);
}

/**
 * Raises E_USAGE for a word that is no subcommand where one has to stand, and names the nearest. Commander would give it to the subcommand that holds
 * where none is written, which then has too many.
 */
export async function assertSubcommand(args: readonly string[], program: Command): Promise<void> {
  const { command, given } = walk(program, args);
  const [word] = given;
  if (command === program || command.commands.length === 0 || word === undefined) return;
  const { nearest } = await import("@backroom/daemon/settings/nearest.ts");
  const names = command.commands.flatMap((sub) => [sub.name(), ...sub.aliases()]);
  const meant = nearest(word, names);
  throw new BackroomError("E_USAGE", `unknown command '${command.name()} ${word}'`, {
    why:
      meant === undefined ? `it is none of ${names.join(", ")}` : `did you mean ${command.name()} ${meant}?`,
    fix: `see what there is: backroom ${command.name()} --help`,
  });
}

/** The first word that is neither an option nor an option's value. */
function commandWord(args: readonly string[], program: Command): string | undefined {
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === "--") return args[at + 1];
    if (!arg.startsWith("-")) return arg;
    const option = program.options.find(({ short, long }) => arg === short || arg === long);
    if (option?.required === true) at++;
  }
  return undefined;
}
