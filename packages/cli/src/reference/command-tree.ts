import type { Command } from "commander";

/** A command that does something, with the words that lead to it. */
export interface Leaf {
  readonly words: readonly string[];
  readonly command: Command;
}

/** Every command that does something, in the order of the help: of those with commands below them these alone. */
export function leaves(command: Command, words: readonly string[] = []): Leaf[] {
  const below = shownCommands(command);
  if (below.length === 0) return [{ words, command }];
  return below.flatMap((sub) => leaves(sub, [...words, sub.name()]));
}

/** The commands below that people are told of. */
export function shownCommands(command: Command): Command[] {
  return command.createHelp().visibleCommands(command);
}
