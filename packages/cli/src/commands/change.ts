import type { AddCommand, Session } from "../session.ts";
import { ID_HELP } from "./id-argument.ts";

/** Commands that do one thing to transfers, one after the other. */
export const addPause = changing("pause", "stop fetching and handing out, until resumed");
export const addResume = changing("resume", "go on, also after a failure");
export const addRecheck = changing("recheck", "verify every piece on disk, and fetch again what is damaged");

export const addRemove: AddCommand = (program, run) => {
  program
    .command("rm")
    .description("forget transfers and delete their packs; fetched and shared files stay where they are")
    .argument("<transfer...>", ID_HELP)
    .option("--keep-pack", "keep the sealed pack, so that the share can be handed out again")
    .option("-f, --force", "do not ask")
    .action((ids: string[], options: { keepPack?: boolean; force?: boolean }) => {
      run(async (session: Session) => {
        const { removeTransfers } = await import("../transfers/change.ts");
        await removeTransfers(ids, options, session);
      });
    });
};

function changing(name: "pause" | "resume" | "recheck", description: string): AddCommand {
  return (program, run) => {
    program
      .command(name)
      .description(description)
      .argument("<transfer...>", ID_HELP)
      .action((ids: string[]) => {
        run(async (session) => {
          const { changeTransfers } = await import("../transfers/change.ts");
          await changeTransfers(name, ids, session);
        });
      });
  };
}
