import type { Argument, Command } from "commander";
import { shownCommands } from "../reference/command-tree.ts";
import { walk } from "../walk-commands.ts";

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What only the daemon knows, by the names that arguments have in the tree. */
export type LiveKind = "transfer" | "network" | "watch" | "token";
const LIVE: ReadonlySet<string> = new Set<LiveKind>(["transfer", "network", "watch", "token"]);
const FILES: ReadonlySet<string> = new Set(["file", "path", "pack"]);

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** What the shell itself can offer besides. */
  readonly files: "none" | "files" | "folders";
  /** What the daemon can. */
  readonly live: LiveKind | undefined;
}

const NOTHING: Completion = { candidates: [], files: "none", live: undefined };

/** What may stand at the cursor: `before` are the whole words after the program's name, `current` is what is written of the next one. */
export function completionsOf(program: Command, before: readonly string[], current: string): Completion {
  const { command, wanted, given } = walk(program, before);
  if (wanted !== undefined) return valueOf(wanted.argChoices, placeName(wanted.flags), current);
  if (current.startsWith("-")) return { ...NOTHING, candidates: options(program, command, current) };
  const subs = given.length === 0 ? shownCommands(command) : [];
  const words = subs.flatMap((sub) => [{ value: sub.name(), description: sub.description() }]);
  const argument = argumentAt(command, given.length);
  const value = argument === undefined ? NOTHING : valueOf(argument.argChoices, argument.name(), current);
  return { ...value, candidates: [...starting(words, current), ...value.candidates] };
}

/** The value of an option that stands among words, such as the data folder. */
export function optionValue(words: readonly string[], flag: string): string | undefined {
  const at = words.lastIndexOf(flag);
  return at < 0 ? undefined : words[at + 1];
}

/** Options of the command and then those of every command, by their long names. */
function options(program: Command, command: Command, current: string): Candidate[] {
  const own = command === program ? [] : command.options;
  const all = [...own, ...program.options].filter(({ hidden }) => !hidden);
  const words = all.map(({ long, short, description }) => ({ value: long ?? short ?? "", description }));
  return starting([...words, { value: "--help", description: "display help for command" }], current);
}

function valueOf(choices: readonly string[] | undefined, name: string, current: string): Completion {
  if (choices !== undefined) {
    const words = choices.map((value) => ({ value, description: "" }));
    return { ...NOTHING, candidates: starting(words, current) };
  }
  if (LIVE.has(name)) return { ...NOTHING, live: name as LiveKind };
  if (name === "folder") return { ...NOTHING, files: "folders" };
  return FILES.has(name) ? { ...NOTHING, files: "files" } : NOTHING;
}

/** `file` of `-o, --output <file>`. */
function placeName(flags: string): string {
  return /[<[]([\w-]+)/.exec(flags)?.[1] ?? "";
}

function argumentAt(command: Command, index: number): Argument | undefined {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  return registeredArguments[index] ?? (last?.variadic === true ? last : undefined);
}

function starting(words: readonly Candidate[], current: string): Candidate[] {
  return words.filter(({ value }) => value.startsWith(current));
}
