import type { ShareResult } from "@backroom/core/node/share.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { AddCommand } from "../session.ts";
import { count, formatBytes } from "../ui/format.ts";
import { terminalHooks } from "../ui/hooks.ts";
import { readPassword, readText } from "../ui/input.ts";
import { acceptOption, acceptedFlags, type AcceptOptions } from "./accept.ts";

interface Options extends AcceptOptions {
  readonly name?: string;
  readonly password?: boolean;
  readonly passwordFile?: string;
  readonly to?: string[];
  readonly strong?: boolean;
}

export const addShare: AddCommand = (program, run) => {
  const command = program
    .command("share")
    .description("seal files and folders, print a link, and hand them out until you press Ctrl-C")
    .argument("<path...>", "files and folders; or a link that you shared before, to go on sharing it")
    .option("--name <name>", "the name that the link shows (default: the name of the first path)")
    .option("--password", "the link alone does not open the share: whoever opens it must know a password")
    .option("--password-file <file>", "take the password from the first line of a file")
    .option("--to <recipient...>", "only these people can open it: age1… or age1pq… keys")
    .option("--strong", "three relays on each side of the gate instead of two");
  acceptOption(command).action((paths: string[], options: Options) => {
    run(async ({ terminal, signal, dataFolder, proxy, lan }) => {
      if ((options.password === true || options.passwordFile !== undefined) && options.to !== undefined) {
        throw new BackroomError("E_USAGE", "--password and --to exclude each other");
      }
      const wantsPassword = options.password === true || options.passwordFile !== undefined;
      const password = wantsPassword ? await readPassword(options.passwordFile, true) : undefined;
      const { shareFiles } = await import("@backroom/core/node/share.ts");
      const hooks = terminalHooks(terminal, acceptedFlags(options));
      const inputs = paths.length === 1 ? [await readText(paths[0] as string, "a link")] : paths;
      await shareFiles(
        {
          inputs,
          dataFolder,
          proxy,
          lan,
          name: options.name,
          password,
          recipients: options.to,
          profile: options.strong === true ? "strong" : "standard",
          signal,
          onReady(result) {
            hooks.done();
            terminal.note(summary(result));
            terminal.result(result.link, { ...result });
            terminal.note("Handing it out. Press Ctrl-C to stop.");
          },
        },
        hooks,
      );
      hooks.done();
      terminal.note("Stopped. To go on sharing it: backroom share LINK, with the same link.");
    });
  });
};

function summary(result: ShareResult): string {
  const lines = [
    `${count(result.fileCount, "file")}, ${formatBytes(result.size)}, sealed into ${formatBytes(result.packLength)}.`,
    ...(result.leftOutCount > 0
      ? [`${count(result.leftOutCount, "entry", "entries")} left out (see above).`]
      : []),
  ];
  lines.push(
    result.kind === "read"
      ? "Whoever has this link can read the files:"
      : "This link finds the share; it opens only with the password or key:",
  );
  return lines.join("\n");
}
