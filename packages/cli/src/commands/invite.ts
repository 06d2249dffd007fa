import type { AddCommand } from "../session.ts";

export const addInvite: AddCommand = (program, run) => {
  program
    .command("invite")
    .description("print an invite to the network in use, or to another that is known")
    .argument("[network]", "its id, as net list prints it")
    .action((id: string | undefined) =>
      run(async (session) => {
        const { printInvite } = await import("../network/networks.ts");
        await printInvite(id, session);
      }),
    );
};
