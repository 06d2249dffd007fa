import { BackroomError } from "@backroom/core/base/errors.ts";
import type { AddCommand } from "../session.ts";
import { readPassword, readText } from "../ui/input.ts";
import { acceptOption, acceptedFlags, type AcceptOptions } from "./accept.ts";
import { foregroundOption, type ForegroundOptions } from "./foreground.ts";

interface Options extends AcceptOptions, ForegroundOptions {
  readonly name?: string;
  readonly password?: boolean;
  readonly passwordFile?: string;
  readonly to?: string[];
  readonly strong?: boolean;
  readonly stopOnExit?: boolean;
}

/** What somebody wants to be shared, however it is done. */
export interface ShareOrder {
  /** Files and folders, or one link. */
  readonly inputs: readonly string[];
  readonly name: string | undefined;
  readonly password: string | undefined;
  readonly recipients: readonly string[] | undefined;
  readonly profile: "standard" | "strong";
  readonly accepted: ReadonlySet<string>;
  readonly stopOnExit: boolean;
}

export const addShare: AddCommand = (program, run) => {
  const command = program
    .command("share")
    .description("seal files and folders, print a link, and let the daemon hand them out")
    .argument("<path...>", "files and folders; or a link that you shared before, to go on sharing it")
    .option("--name <name>", "the name that the link shows (default: the name of the first path)")
    .option("--password", "the link alone does not open the share: whoever opens it must know a password")
    .option("--password-file <file>", "take the password from the first line of a file")
    .option("--to <recipient...>", "only these people can open it: age1… or age1pq… keys")
    .option("--strong", "three relays on each side of the gate instead of two")
    .option("--stop-on-exit", "stay, and let the daemon pause it when you press Ctrl-C");
  acceptOption(foregroundOption(command)).action((paths: string[], options: Options) => {
    run(async (session) => {
      const order = await orderOf(paths, options);
      if (options.foreground === true) {
        const { shareHere } = await import("../foreground/share.ts");
        await shareHere(order, session);
      } else {
        const { shareInDaemon } = await import("../transfers/share.ts");
        await shareInDaemon(order, session);
      }
    });
  });
};

async function orderOf(paths: string[], options: Options): Promise<ShareOrder> {
  const wantsPassword = options.password === true || options.passwordFile !== undefined;
  if (wantsPassword && options.to !== undefined) {
    throw new BackroomError("E_USAGE", "--password and --to exclude each other");
  }
  return {
    inputs: paths.length === 1 ? [await readText(paths[0] as string, "a link")] : paths,
    name: options.name,
    password: wantsPassword ? await readPassword(options.passwordFile, true) : undefined,
    recipients: options.to,
    profile: options.strong === true ? "strong" : "standard",
    accepted: acceptedFlags(options),
    stopOnExit: options.stopOnExit === true,
  };
}
