import { BackroomError } from "@backroom/core/base/errors.ts";
import type { AddCommand } from "../session.ts";
import { count, formatBytes } from "../ui/format.ts";
import { terminalHooks } from "../ui/hooks.ts";
import { readPassword } from "../ui/input.ts";

interface Options {
  readonly output: string;
  readonly identity?: string;
  readonly name?: string;
  readonly password?: boolean;
  readonly passwordFile?: string;
  readonly to?: string[];
}

export const addSeal: AddCommand = (program, run) => {
  program
    .command("seal")
    .description("seal files and folders into a pack file, without any network")
    .argument("<path...>", "files and folders")
    .requiredOption("-o, --output <pack>", "the pack file to write (must not exist)")
    .option("--identity <file>", "also write the key that opens it, as age -i takes it (must not exist)")
    .option("--name <name>", "the name that the pack shows")
    .option("--password", "seal with a password instead of a key")
    .option("--password-file <file>", "take the password from the first line of a file")
    .option("--to <recipient...>", "only these people can open it: age1… or age1pq… keys")
    .action((paths: string[], options: Options) => {
      run(async ({ terminal, signal }) => {
        const wantsPassword = options.password === true || options.passwordFile !== undefined;
        if (wantsPassword && options.to !== undefined) {
          throw new BackroomError("E_USAGE", "--password and --to exclude each other");
        }
        if (options.identity !== undefined && (wantsPassword || options.to !== undefined)) {
          throw new BackroomError(
            "E_USAGE",
            "--identity writes a fresh key, which --password and --to do not use",
          );
        }
        const password = wantsPassword ? await readPassword(options.passwordFile, true) : undefined;
        const { sealToFile } = await import("@backroom/core/node/pack-files.ts");
        const hooks = terminalHooks(terminal, new Set());
        const result = await sealToFile(
          {
            paths,
            output: options.output,
            identityFile: options.identity,
            name: options.name,
            password,
            recipients: options.to,
            signal,
          },
          hooks,
        );
        hooks.done();
        terminal.note(
          `${count(result.fileCount, "file")}, ${formatBytes(result.size)}, sealed into ${formatBytes(result.packLength)}.`,
        );
        if (result.kind === "read")
          terminal.note("The key to it, as a link (for backroom open; it names no network):");
        terminal.result(result.link, { ...result });
      });
    });
};
