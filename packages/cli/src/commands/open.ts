import type { AddCommand } from "../session.ts";
import { count, formatBytes } from "../ui/format.ts";
import { terminalHooks } from "../ui/hooks.ts";
import { readPassword, readText } from "../ui/input.ts";

interface Options {
  readonly output: string;
  readonly identity?: string;
  readonly passwordFile?: string;
}

export const addOpen: AddCommand = (program, run) => {
  program
    .command("open")
    .description("open a pack file, without any network")
    .argument("<pack>", "the pack file")
    .argument("[link]", "its link; - reads it from standard input, @file from a file")
    .option("-i, --identity <file>", "an age key file instead of a link")
    .option("--password-file <file>", "take the password from the first line of a file")
    .option("-o, --output <folder>", "the folder to put the files into", ".")
    .action((pack: string, link: string | undefined, options: Options) => {
      run(async ({ terminal, signal }) => {
        const { openFromFile } = await import("@backroom/core/node/pack-files.ts");
        const hooks = terminalHooks(terminal, new Set());
        const result = await openFromFile(
          {
            pack,
            link: link === undefined ? undefined : await readText(link, "a link"),
            identityFile: options.identity,
            password: () => readPassword(options.passwordFile, false),
            outputFolder: options.output,
            signal,
          },
          hooks,
        );
        hooks.done();
        terminal.note(`${count(result.fileCount, "file")}, ${formatBytes(result.size)}:`);
        terminal.result(result.paths.join("\n"), { ...result });
      });
    });
};
