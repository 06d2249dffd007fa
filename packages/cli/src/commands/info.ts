import type { AddCommand } from "../session.ts";
import { ID_HELP } from "./id-argument.ts";

export const addInfo: AddCommand = (program, run) => {
  program
    .command("info")
    .description("all that is known of one transfer")
    .argument("<transfer>", ID_HELP)
    .action((id: string) => {
      run(async (session) => {
        const { showInfo } = await import("../transfers/info.ts");
        await showInfo(id, session);
      });
    });
};
