import path from "node:path";
import type { Result } from "../contract.ts";
import type { AddCommand } from "../session.ts";
import { ID_HELP } from "./id-argument.ts";

export const addRelocate: AddCommand = (program, run) => {
  program
    .command("relocate")
    .description("move fetched files to another folder")
    .argument("<transfer>", ID_HELP)
    .argument("<folder>", "where they are to be")
    .action((id: string, folder: string) => {
      run(async ({ terminal, daemon }) => {
        const { findTransfer } = await import("../transfers/find-transfer.ts");
        const client = await daemon.need();
        const found = await findTransfer(client, id);
        const moved = await client.call("relocate", { id: found.id, output: path.resolve(folder) });
        terminal.result(moved.paths.join("\n"), { ...moved } satisfies Result<"relocate">);
      });
    });
};
