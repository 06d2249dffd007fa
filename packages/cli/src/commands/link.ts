import type { AddCommand } from "../session.ts";
import { ID_HELP } from "./id-argument.ts";

export const addLink: AddCommand = (program, run) => {
  program
    .command("link")
    .description("print the link of a transfer again")
    .argument("<transfer>", ID_HELP)
    .option("--locked", "the link for hosts that shall not be able to read it")
    .option("--qr", "as a QR code, too, on standard error")
    .action((id: string, options: { locked?: boolean; qr?: boolean }) => {
      run(async ({ terminal, daemon }) => {
        const { findTransfer } = await import("../transfers/find-transfer.ts");
        const client = await daemon.need();
        const links = await client.call("links", { id: (await findTransfer(client, id)).id });
        const link = options.locked === true ? links.lockedLink : links.link;
        if (options.qr === true) {
          const { qrLines } = await import("../ui/qr.ts");
          terminal.drawing(qrLines(link));
        }
        if (links.kind === "read" && options.locked !== true) {
          terminal.note("Whoever has this link can read the files:");
        }
        terminal.result(link, { ...links });
      });
    });
};
