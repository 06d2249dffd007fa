import { type Command, Option } from "commander";

export interface ForegroundOptions {
  readonly foreground?: boolean;
}

/** The way without a daemon: for a process that somebody watches over, and for one run on a computer that is not to keep anything running. */
export function foregroundOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--foreground",
      "do it in this process, without a daemon, until it is done or you press Ctrl-C",
    ).env("BACKROOM_FOREGROUND"),
  );
}
