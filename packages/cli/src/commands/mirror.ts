import type { AddCommand } from "../session.ts";
import { readText } from "../ui/input.ts";
import { acceptOption, acceptedFlags, type AcceptOptions } from "./accept.ts";

interface Options extends AcceptOptions {
  readonly strong?: boolean;
  readonly wait?: boolean;
  readonly stopOnExit?: boolean;
}

export const addMirror: AddCommand = (program, run) => {
  const command = program
    .command("mirror")
    .description("keep somebody's share alive: fetch it and let the daemon hand it out, without opening it")
    .argument("<link>", "the link, a locked one will do; - reads it from standard input, @file from a file")
    .option("--wait", "wait for as long as it takes until somebody has it")
    .option("--strong", "three relays on each side of the gate instead of two")
    .option("--stop-on-exit", "pause it when you press Ctrl-C, instead of leaving it to the daemon");
  acceptOption(command).action((link: string, options: Options) => {
    run(async (session) => {
      const { mirrorInDaemon } = await import("../transfers/get.ts");
      const order = {
        link: await readText(link, "a link"),
        profile: options.strong === true ? ("strong" as const) : ("standard" as const),
        accepted: acceptedFlags(options),
        wait: options.wait === true,
        stopOnExit: options.stopOnExit === true,
      };
      await mirrorInDaemon(order, session);
    });
  });
};
