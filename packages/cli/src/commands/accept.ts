import type { Command } from "commander";

/** The consents that can be given beforehand, so that scripts need not answer questions. */
export interface AcceptOptions {
  readonly acceptFewSources?: boolean;
  readonly acceptDht?: boolean;
  readonly acceptLinkRelays?: boolean;
}

export function acceptOption(command: Command): Command {
  return command
    .option("--accept-few-sources", "go on where only one independent relay could be asked for the others")
    .option(
      "--accept-dht",
      "ask the public DHT for relays where those that are known do not answer, or are too few",
    )
    .option("--accept-link-relays", "let a link lead into a network that this computer has not joined");
}

export function acceptedFlags(options: AcceptOptions): ReadonlySet<string> {
  const flags = [
    ...(options.acceptFewSources === true ? ["--accept-few-sources"] : []),
    ...(options.acceptDht === true ? ["--accept-dht"] : []),
    ...(options.acceptLinkRelays === true ? ["--accept-link-relays"] : []),
  ];
  return new Set(flags);
}
