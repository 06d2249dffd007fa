import path from "node:path";
import type { Client } from "@backroom/api/client/client.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import type { OpenOptions } from "../commands/open.ts";
import type { Session } from "../session.ts";
import { count, formatBytes } from "../ui/format.ts";
import { readPassword, readSmallFile } from "../ui/input.ts";
import { findTransfer } from "./find-transfer.ts";
import { followTransfer } from "./follow-transfer.ts";
import { openedResult } from "./opened-result.ts";
import { outlived } from "./outlives.ts";
import { showTransfer } from "./show-transfer.ts";

/** Lets the daemon open a pack that it holds into files; a locked one with what is given here. */
export async function openInDaemon(
  client: Client,
  text: string,
  link: string | undefined,
  options: OpenOptions,
  session: Session,
): Promise<void> {
  const { terminal, signal } = session;
  const { id, kind } = await findTransfer(client, text);
  const asks = kind === "locked" && link === undefined && options.identity === undefined;
  const begun = await client.call("openTransfer", {
    id,
    output: path.resolve(options.output),
    ...(link === undefined ? {} : { link }),
    ...(options.identity === undefined ? {} : { identity: await readSmallFile(options.identity, "the key") }),
    ...(asks ? { password: await readPassword(options.passwordFile, false) } : {}),
  });
  const shown = showTransfer(terminal);
  const opened = await outlived(client, begun, false, () =>
    followTransfer(client, id, isOpened, shown, signal).finally(() => shown.end()),
  );
  const result = openedResult(opened);
  terminal.note(`${count(result.fileCount, "file")}, ${formatBytes(result.size)}:`);
  terminal.result(result.paths.join("\n"), { ...result });
}

function isOpened({ state }: Transfer): boolean {
  return state !== "opening" && state !== "queued" && state !== "checking";
}
