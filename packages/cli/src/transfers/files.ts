import type { Client } from "@backroom/api/client/client.ts";
import type { Answer } from "@backroom/api/routes.ts";
import { FILE_PRIORITIES } from "@backroom/api/words.ts";
import type { FilesOptions } from "../commands/files.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { count, formatBytes, formatTime } from "../ui/format.ts";
import { tableLines, type Column } from "../ui/table.ts";
import { choose, chooseOnly } from "./choose-files.ts";
import { findTransfer } from "./find-transfer.ts";

const IN_TERMINAL = 200;
/** What the daemon gives at once at most. */
const PAGE = 5000;

type FileEntry = Answer<"files">["files"][number];

const COLUMNS: readonly Column<FileEntry>[] = [
  { title: "SIZE", align: "right", text: ({ size }) => formatBytes(size) },
  { title: "THERE", align: "right", text: percent },
  { title: "PRIORITY", align: "left", text: ({ priority }) => (priority === "normal" ? "" : priority) },
  {
    title: "CHANGED",
    align: "left",
    text: ({ mtimeMs }) => (mtimeMs === null ? "" : formatTime(mtimeMs)),
  },
  { title: "PATH", align: "left", text: ({ path }) => path },
];

/** Prints the files of a share page by page: there may be a million. */
export async function listFiles(text: string, options: FilesOptions, session: Session): Promise<void> {
  const { terminal, signal } = session;
  const client = await session.daemon.need();
  const { id } = await findTransfer(client, text);
  await chooseAsAsked(client, id, options, signal);
  const most =
    options.limit ?? (terminal.columns !== undefined && options.all !== true ? IN_TERMINAL : Infinity);
  const shown = { count: 0, total: 0 };
  const isNarrow = (terminal.columns ?? Infinity) < 60;
  const columns = isNarrow ? COLUMNS.filter(({ title }) => title !== "CHANGED") : COLUMNS;
  for (let after: string | null | undefined; after !== null && shown.count < most && !signal.aborted;) {
    const page = await client.call("files", {
      id,
      limit: Math.min(PAGE, most - shown.count),
      ...(after === undefined ? {} : { after }),
    });
    for (const file of page.files) terminal.event("file", file);
    if (!terminal.json && page.files.length > 0) {
      const lines = tableLines(page.files, columns, terminal);
      for (const line of after === undefined ? lines : lines.slice(1)) terminal.print(line);
    }
    shown.count += page.files.length;
    shown.total = page.total;
    after = page.next;
  }
  if (shown.total === 0) terminal.note("The share's index is not there yet, so its files are not known.");
  else if (shown.count < shown.total) {
    terminal.note(`${shown.count.toLocaleString("en-US")} of ${count(shown.total, "file")}; more with --all`);
  }
  terminal.result("", { shownCount: shown.count, total: shown.total } satisfies Result<"files">);
}

async function chooseAsAsked(
  client: Client,
  id: string,
  options: FilesOptions,
  signal: AbortSignal,
): Promise<void> {
  if (options.only !== undefined) await chooseOnly(client, id, options.only, signal);
  for (const priority of FILE_PRIORITIES) {
    const names = options[priority];
    if (names !== undefined) await choose(client, id, names, { priority, signal });
  }
}

function percent({ doneBytes, size }: FileEntry): string {
  return `${size === 0 ? 100 : Math.floor((doneBytes / size) * 100)} %`;
}
