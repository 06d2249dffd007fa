import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import type { ListOptions } from "../commands/ls.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { count } from "../ui/format.ts";
import { tableLines } from "../ui/table.ts";
import { transferColumns } from "./columns.ts";

/** Where somebody watches more than this would only push the newest out of sight. */
const IN_TERMINAL = 50;
/** What the daemon gives at once at most. */
const PAGE = 1000;

/** Prints transfers page by page, so that neither side ever holds all of them. */
export async function listTransfers(options: ListOptions, session: Session): Promise<void> {
  const { terminal } = session;
  const client = await session.daemon.need();
  const { state, role, search } = options;
  const filter = {
    ...(state === undefined ? {} : { state }),
    ...(role === undefined ? {} : { role }),
    ...(search === undefined ? {} : { search }),
  };
  const isWatched = terminal.columns !== undefined && !terminal.json && options.ids !== true;
  const most = options.limit ?? (isWatched && options.all !== true ? IN_TERMINAL : Infinity);
  const shown = { count: 0, total: 0 };
  for (let after: string | null | undefined; after !== null && shown.count < most;) {
    const limit = Math.min(PAGE, most - shown.count);
    const page = await client.call("listTransfers", {
      ...filter,
      limit,
      ...(after === undefined ? {} : { after }),
    });
    show(page.transfers, options, session, after === undefined);
    shown.count += page.transfers.length;
    shown.total = page.total;
    after = page.next;
    if (session.signal.aborted) break;
  }
  if (shown.total === 0) {
    terminal.note(
      Object.keys(filter).length === 0 ? "Nothing yet. To begin: backroom share PATH" : "None fits.",
    );
  } else if (shown.count < shown.total) {
    terminal.note(
      `${shown.count.toLocaleString("en-US")} of ${count(shown.total, "transfer")}; more with --all`,
    );
  }
  terminal.result("", { shownCount: shown.count, total: shown.total } satisfies Result<"ls">);
}

function show(
  transfers: readonly Transfer[],
  { ids }: ListOptions,
  { terminal }: Session,
  isFirst: boolean,
): void {
  for (const transfer of transfers) terminal.event("transfer", transfer);
  if (terminal.json || transfers.length === 0) return;
  if (ids === true) {
    for (const { id } of transfers) terminal.print(id);
    return;
  }
  const lines = tableLines(transfers, transferColumns(terminal), terminal);
  for (const line of isFirst ? lines : lines.slice(1)) terminal.print(line);
}
