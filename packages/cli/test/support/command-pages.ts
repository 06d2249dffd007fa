import type { Command } from "commander";
import { ERROR_TABLE } from "@backroom/core/base/errors.ts";
import { leaves, shownCommands, type Leaf } from "../../src/reference/command-tree.ts";
import { EXAMPLES } from "../../src/reference/examples.ts";

/** One top-level command as the reference and the man pages show it, without a form. */
export interface CommandPage {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string;
  readonly parts: readonly CommandPart[];
  readonly examples: readonly (readonly [string, string])[];
}

/** One command line of it: the command itself, or each of its subcommands. */
export interface CommandPart {
  /** `net join`. */
  readonly path: string;
  readonly description: string;
  /** `backroom net join [options] <invite>`. */
  readonly usage: string;
  readonly args: readonly Row[];
  readonly options: readonly Row[];
}

export interface Row {
  readonly term: string;
  readonly text: string;
}

export function commandPages(program: Command): CommandPage[] {
  return shownCommands(program).map((command) => ({
    name: command.name(),
    aliases: command.aliases(),
    description: command.description(),
    // What a command with subcommands does by itself is said where its options are.
    parts: partsOf(command),
    examples: EXAMPLES[command.name()] ?? [],
  }));
}

function partsOf(command: Command): CommandPart[] {
  const below = leaves(command, [command.name()]).map(partOf);
  const hasOwn = shownCommands(command).length > 0 && optionRows(command).length > 0;
  return hasOwn ? [partOf({ words: [command.name()], command }), ...below] : below;
}

function partOf({ words, command }: Leaf): CommandPart {
  const help = command.createHelp();
  return {
    path: words.join(" "),
    description: command.description(),
    usage: `backroom ${words.join(" ")} ${command.usage()}`.trim(),
    args: help
      .visibleArguments(command)
      .map((argument) => ({ term: help.argumentTerm(argument), text: help.argumentDescription(argument) })),
    options: optionRows(command),
  };
}

/** Without `--help`, which every command has. */
export function optionRows(command: Command): Row[] {
  const help = command.createHelp();
  return help
    .visibleOptions(command)
    .filter(({ long }) => long !== "--help")
    .map((option) => ({ term: help.optionTerm(option), text: help.optionDescription(option) }));
}

/** Exit statuses with what they stand for. */
export const EXITS: readonly (readonly [number, string])[] = [
  [0, "done"],
  [1, "a fault of the program"],
  [2, "the command line"],
  [3, "what was given to it"],
  [4, "the network, or no daemon"],
  [5, "disk and files"],
  [6, "damaged or forged data"],
  [7, "a computer below the minimum, or one on which the doctor found something to mend"],
  [130, "interrupted"],
];

/** Those that errors end with. */
export function exitsOfErrors(): number[] {
  return [...new Set(Object.values(ERROR_TABLE).map(({ exit }) => exit))].toSorted((a, b) => a - b);
}
