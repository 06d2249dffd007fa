import { stat } from "node:fs/promises";
import type { AddCommand } from "../session.ts";
import { readText } from "../ui/input.ts";

export interface OpenOptions {
  readonly output: string;
  readonly identity?: string;
  readonly passwordFile?: string;
}

export const addOpen: AddCommand = (program, run) => {
  program
    .command("open")
    .description("open a pack file, without any network; or a pack that the daemon holds")
    .argument("<pack>", "the pack file; or a transfer, where there is no such file")
    .argument("[link]", "its link; - reads it from standard input, @file from a file")
    .option("-i, --identity <file>", "an age key file instead of a link")
    .option("--password-file <file>", "take the password from the first line of a file")
    .option("-o, --output <folder>", "the folder to put the files into", ".")
    .action((pack: string, link: string | undefined, options: OpenOptions) => {
      run(async (session) => {
        const text = link === undefined ? undefined : await readText(link, "a link");
        // Without a daemon there are no transfers, so a file must have been meant.
        const client = (await isTransfer(pack)) ? await session.daemon.find() : undefined;
        if (client !== undefined) {
          const { openInDaemon } = await import("../transfers/open.ts");
          await openInDaemon(client, pack, text, options, session);
        } else {
          const { openHere } = await import("../foreground/open.ts");
          await openHere(pack, text, options, session);
        }
      });
    });
};

/** What looks like an id and is no file. A name is not enough: a file that is missing would be looked for among transfers. */
async function isTransfer(text: string): Promise<boolean> {
  if (!/^[a-z0-9]{4,16}$/.test(text)) return false;
  try {
    await stat(text);
    return false;
  } catch {
    return true;
  }
}
