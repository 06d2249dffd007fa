import type { Client } from "@backroom/api/client/client.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { count } from "../ui/format.ts";
import { yesTo } from "../ui/hooks.ts";
import { nameText, stateText } from "./columns.ts";
import { findTransfer } from "./find-transfer.ts";
import { shortId } from "./short-id.ts";

/** Does one thing to each of the transfers, once it is sure that all of them are there. Raises the first error; what was done before stays. */
export async function changeTransfers(
  name: "pause" | "resume" | "recheck",
  texts: readonly string[],
  { terminal, daemon }: Session,
): Promise<void> {
  const client = await daemon.need();
  const transfers: Transfer[] = [];
  for (const { id } of await findAll(client, texts)) {
    const changed = await client.call(name, { id });
    transfers.push(changed);
    terminal.note(`${shortId(id)} ${nameText(changed)}: ${stateText(changed)}`);
  }
  const ids = transfers.map(({ id }) => id).join("\n");
  terminal.result(ids, { transfers } satisfies Result<"pause">);
}

export async function removeTransfers(
  texts: readonly string[],
  { keepPack, force }: { readonly keepPack?: boolean; readonly force?: boolean },
  { terminal, daemon }: Session,
): Promise<void> {
  const client = await daemon.need();
  const found = await findAll(client, texts);
  if (force !== true && terminal.interactive && !(await isMeant(found, keepPack === true, terminal))) {
    throw new BackroomError("E_INTERRUPTED", "nothing was removed", {
      why: "the question was answered with no",
      fix: "answer y, or give --force",
    });
  }
  const removed: string[] = [];
  for (const { id } of found) {
    await client.call("remove", { id, keepPack: keepPack === true ? "true" : "false" });
    removed.push(id);
  }
  terminal.result(removed.join("\n"), { removed } satisfies Result<"rm">);
}

/** Each once, however often and by whatever it was named. */
async function findAll(client: Client, texts: readonly string[]): Promise<Transfer[]> {
  const found = new Map<string, Transfer>();
  for (const text of texts) {
    const transfer = await findTransfer(client, text);
    found.set(transfer.id, transfer);
  }
  return [...found.values()];
}

async function isMeant(
  transfers: readonly Transfer[],
  keepsPack: boolean,
  terminal: Session["terminal"],
): Promise<boolean> {
  const own = transfers.filter(({ role }) => role === "share").length;
  for (const transfer of transfers.slice(0, 10)) {
    terminal.ask(`  ${shortId(transfer.id)}  ${stateText(transfer)}  ${nameText(transfer)}`);
  }
  if (transfers.length > 10) terminal.ask(`  and ${transfers.length - 10} more`);
  if (own > 0 && !keepsPack) {
    terminal.ask("Links to what was shared from here lead nowhere afterwards, unless somebody mirrors it.");
  }
  return yesTo(`Forget ${count(transfers.length, "transfer")}?`);
}
