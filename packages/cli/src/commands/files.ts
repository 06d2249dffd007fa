import type { AddCommand } from "../session.ts";
import { parseCount } from "../ui/arguments.ts";
import { ID_HELP } from "./id-argument.ts";

export interface FilesOptions {
  readonly limit?: number;
  readonly all?: boolean;
}

export const addFiles: AddCommand = (program, run) => {
  program
    .command("files")
    .description("the files of a share, as far as its index is there")
    .argument("<transfer>", ID_HELP)
    .option(
      "--limit <number>",
      "at most so many (default: 200 in a terminal, all elsewhere)",
      parseCount(1, 10_000_000),
    )
    .option("--all", "all of them")
    .action((id: string, options: FilesOptions) => {
      run(async (session) => {
        const { listFiles } = await import("../transfers/files.ts");
        await listFiles(id, options, session);
      });
    });
};
