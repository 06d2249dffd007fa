import type { AddCommand } from "../session.ts";
import { parseCount, several } from "../ui/arguments.ts";
import { ID_HELP } from "./id-argument.ts";

export interface FilesOptions {
  readonly limit?: number;
  readonly all?: boolean;
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly low?: readonly string[];
  readonly normal?: readonly string[];
  readonly high?: readonly string[];
}

export const addFiles: AddCommand = (program, run) => {
  program
    .command("files")
    .description(
      "the files of a share, as far as its index is there; or choose which of them are fetched, and how soon",
    )
    .argument("<transfer>", ID_HELP)
    .option(
      "--limit <number>",
      "at most so many (default: 200 in a terminal, all elsewhere)",
      parseCount(1, 10_000_000),
    )
    .option("--all", "all of them")
    .option(
      "--only <name>",
      "fetch only this file or folder, or what fits this pattern, as with get --only; more than once for more",
      several,
    )
    .option("--skip <name>", "do not fetch it; what is there already stays", several)
    .option("--low <name>", "fetch it after the others", several)
    .option("--normal <name>", "fetch it as usual", several)
    .option("--high <name>", "fetch it before the others", several)
    .action((id: string, options: FilesOptions) => {
      run(async (session) => {
        const { listFiles } = await import("../transfers/files.ts");
        await listFiles(id, options, session);
      });
    });
};
