import type { Command, Option } from "commander";

/** How far words lead into the tree of commands. */
export interface Walked {
  readonly command: Command;
  /** The option whose value comes next. */
  readonly wanted: Option | undefined;
  /** Arguments that are there already. */
  readonly given: readonly string[];
}

/** Follows words as the program would, as far as they fit its tree. */
export function walk(program: Command, before: readonly string[]): Walked {
  let command = program;
  let wanted: Option | undefined;
  const given: string[] = [];
  for (const word of before) {
    if (wanted !== undefined && !word.startsWith("-")) {
      if (!wanted.variadic) wanted = undefined;
      continue;
    }
    wanted = undefined;
    if (word.startsWith("-") && word !== "-") {
      const option = [...command.options, ...program.options].find(
        ({ short, long }) => word === short || word === long,
      );
      if (option?.required === true || option?.optional === true) wanted = option;
      continue;
    }
    const sub = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (sub !== undefined && given.length === 0) command = sub;
    else given.push(word);
  }
  return { command, wanted, given };
}
