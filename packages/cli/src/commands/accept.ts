import type { Command } from "commander";

/** The consents that can be given beforehand, so that scripts need not answer questions. */
export interface AcceptOptions {
  readonly acceptSmallNetwork?: boolean;
}

export function acceptOption(command: Command): Command {
  return command.option(
    "--accept-small-network",
    "go on where the network is too small to hide well who you are",
  );
}

export function acceptedFlags(options: AcceptOptions): ReadonlySet<string> {
  return new Set(options.acceptSmallNetwork === true ? ["--accept-small-network"] : []);
}
