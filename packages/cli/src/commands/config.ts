import { Argument } from "commander";
import { SETTING_KEYS } from "@backroom/daemon/settings/setting-table.ts";
import type { AddCommand } from "../session.ts";

export const addConfig: AddCommand = (program, run) => {
  const config = program
    .command("config")
    .description("settings: what there is, what holds, where that comes from")
    .action(() => run(async (session) => (await import("../config/config.ts")).list(session)));
  config
    .command("list")
    .description("every setting with its value, what it may be, and the variable that sets it")
    .action(() => run(async (session) => (await import("../config/config.ts")).list(session)));
  config
    .command("get")
    .description("print the value of a setting")
    .addArgument(key())
    .option("--origin", "and after a tab where it comes from: flag, environment, file or default")
    .action((key: string, { origin }: { readonly origin?: boolean }) =>
      run(async (session) => (await import("../config/config.ts")).get(key, origin === true, session)),
    );
  config
    .command("set")
    .description("change a setting in the settings file; comments and all else there stay")
    .addArgument(key())
    .argument("<value>", "its new value; for a proxy with a password - or @file")
    .action((key: string, value: string) =>
      run(async (session) => (await import("../config/config.ts")).set(key, value, session)),
    );
  config
    .command("unset")
    .description("take a setting out of the file: its default holds again")
    .addArgument(key())
    .action((key: string) =>
      run(async (session) => (await import("../config/config.ts")).unset(key, session)),
    );
  config
    .command("path")
    .description("print where the settings file is, or would be")
    .action(() => run(async (session) => (await import("../config/config.ts")).path(session)));
};

/** For help and completion; `choices` would also refuse, and not say which key is the nearest. */
function key(): Argument {
  return Object.assign(new Argument("<key>", "the setting"), { argChoices: [...SETTING_KEYS] });
}
