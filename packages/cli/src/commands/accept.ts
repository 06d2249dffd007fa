import type { Command } from "commander";

/** The consents that can be given beforehand, so that scripts need not answer questions. */
export interface AcceptOptions {
  readonly acceptFewSources?: boolean;
}

export function acceptOption(command: Command): Command {
  return command.option(
    "--accept-few-sources",
    "go on where only one independent relay could be asked for the others",
  );
}

export function acceptedFlags(options: AcceptOptions): ReadonlySet<string> {
  return new Set(options.acceptFewSources === true ? ["--accept-few-sources"] : []);
}
