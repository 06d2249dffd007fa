import { BackroomError } from "@backroom/core/base/errors.ts";
import type { AddCommand } from "../session.ts";
import { several } from "../ui/arguments.ts";
import { readText } from "../ui/input.ts";
import { acceptOption, acceptedFlags, type AcceptOptions } from "./accept.ts";
import { foregroundOption, type ForegroundOptions } from "./foreground.ts";

interface Options extends AcceptOptions, ForegroundOptions {
  readonly output: string;
  readonly identity?: string;
  readonly passwordFile?: string;
  readonly seed?: boolean;
  readonly mirror?: boolean;
  readonly only?: readonly string[];
  readonly strong?: boolean;
  readonly wait?: boolean;
  readonly stopOnExit?: boolean;
}

/** What somebody wants to be fetched, however it is done. */
export interface GetOrder {
  readonly link: string;
  readonly output: string;
  readonly identityFile: string | undefined;
  readonly passwordFile: string | undefined;
  readonly seed: boolean;
  readonly mirror: boolean;
  /** Paths in the share, or patterns; empty: all of it. */
  readonly only: readonly string[];
  readonly profile: "standard" | "strong";
  readonly accepted: ReadonlySet<string>;
  readonly wait: boolean;
  readonly stopOnExit: boolean;
}

export const addGet: AddCommand = (program, run) => {
  const command = program
    .command("get")
    .description("fetch what a link names and put the files into a folder")
    .argument("<link>", "the link; - reads it from standard input, @file from a file")
    .option("-o, --output <folder>", "the folder to put the files into", ".")
    .option("-i, --identity <file>", "an age key file, for a share that was sealed to people")
    .option("--password-file <file>", "take the password from the first line of a file")
    .option("--seed", "go on handing it out after the download")
    .option("--mirror", "fetch and hand out without opening, as backroom mirror does: for a locked link")
    .option(
      "--only <name>",
      "only this file or folder of the share, or what fits this pattern (*.jpg, photos/**); where all of it lies in one folder, with or without that folder's name; may be given more than once",
      several,
    )
    .option("--wait", "wait for as long as it takes until somebody has it")
    .option("--strong", "three relays on each side of the gate instead of two")
    .option("--stop-on-exit", "pause it when you press Ctrl-C, instead of leaving it to the daemon");
  acceptOption(foregroundOption(command)).action((link: string, options: Options) => {
    run(async (session) => {
      const order: GetOrder = {
        link: await readText(link, "a link"),
        output: options.output,
        identityFile: options.identity,
        passwordFile: options.passwordFile,
        seed: options.seed === true,
        mirror: options.mirror === true,
        only: options.only ?? [],
        profile: options.strong === true ? "strong" : "standard",
        accepted: acceptedFlags(options),
        wait: options.wait === true,
        stopOnExit: options.stopOnExit === true,
      };
      if (order.mirror && order.only.length > 0) {
        throw new BackroomError("E_USAGE", "--mirror and --only exclude each other", {
          why: "a mirror stores all of a share without looking into it",
        });
      }
      if (options.foreground === true) {
        if (order.wait) {
          throw new BackroomError("E_USAGE", "--wait and --foreground exclude each other", {
            why: "the daemon can wait for days; a command in the foreground gives up after a while",
            fix: "leave one of them out, or BACKROOM_FOREGROUND out of the environment",
          });
        }
        const { getHere } = await import("../foreground/get.ts");
        await getHere(order, session);
      } else {
        const { getInDaemon } = await import("../transfers/get.ts");
        await getInDaemon(order, session);
      }
    });
  });
};
