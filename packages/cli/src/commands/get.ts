import type { AddCommand } from "../session.ts";
import { count, formatBytes } from "../ui/format.ts";
import { terminalHooks } from "../ui/hooks.ts";
import { readPassword, readText } from "../ui/input.ts";
import { acceptOption, acceptedFlags, type AcceptOptions } from "./accept.ts";

interface Options extends AcceptOptions {
  readonly output: string;
  readonly identity?: string;
  readonly passwordFile?: string;
  readonly seed?: boolean;
  readonly mirror?: boolean;
  readonly strong?: boolean;
}

/** A link cannot tell whether a password or somebody's key opens its share. */
const LOCKED =
  "This link is locked: it holds no key. Give a password with --password-file FILE, or a key with -i KEYFILE, or only store and hand out the share with --mirror.";

export const addGet: AddCommand = (program, run) => {
  const command = program
    .command("get")
    .description("fetch what a link names and put the files into a folder")
    .argument("<link>", "the link; - reads it from standard input, @file from a file")
    .option("-o, --output <folder>", "the folder to put the files into", ".")
    .option("-i, --identity <file>", "an age key file, for a share that was sealed to people")
    .option("--password-file <file>", "take the password from the first line of a file")
    .option("--seed", "keep handing it out after the download, until you press Ctrl-C")
    .option("--mirror", "fetch and hand out without opening: for a locked link")
    .option("--strong", "three relays on each side of the gate instead of two");
  acceptOption(command).action((link: string, options: Options) => {
    run(async ({ terminal, signal, dataFolder, proxy, lan }) => {
      const { getShare } = await import("@backroom/core/node/get.ts");
      const text = await readText(link, "a link");
      const hooks = terminalHooks(terminal, acceptedFlags(options));
      await getShare(
        {
          link: text,
          outputFolder: options.output,
          dataFolder,
          proxy,
          lan,
          identityFile: options.identity,
          password: () => {
            if (options.passwordFile === undefined && terminal.interactive) terminal.note(LOCKED);
            return readPassword(options.passwordFile, false, LOCKED);
          },
          seed: options.seed === true,
          mirror: options.mirror === true,
          profile: options.strong === true ? "strong" : "standard",
          signal,
          onDone(result) {
            hooks.done();
            if (result.paths.length > 0) {
              terminal.note(`${count(result.fileCount, "file")}, ${formatBytes(result.size)}:`);
            }
            terminal.result(result.paths.join("\n"), { ...result });
          },
        },
        hooks,
      );
      hooks.done();
    });
  });
};
