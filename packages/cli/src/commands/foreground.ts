import type { Command } from "commander";

export interface ForegroundOptions {
  readonly foreground?: boolean;
}

/** What people write who do not want it. Commander takes a variable that is there for set, whatever it says. */
const NOT: ReadonlySet<string> = new Set(["", "0", "false", "no", "off"]);

/** The way without a daemon: for a process that somebody watches over, and for one run on a computer that is not to keep anything running. */
export function foregroundOption(command: Command): Command {
  command.option(
    "--foreground",
    "do it in this process, without a daemon, until it is done or you press Ctrl-C (env: BACKROOM_FOREGROUND)",
  );
  const said = process.env["BACKROOM_FOREGROUND"] ?? "";
  if (!NOT.has(said.toLowerCase())) command.setOptionValueWithSource("foreground", true, "env");
  return command;
}
