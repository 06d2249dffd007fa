import type { Transfer, TransferNote, TransferState } from "@backroom/api/schemas/transfer.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { count, formatBytes, formatBytesOf, formatDuration, formatRate, formatTime } from "../ui/format.ts";
import { factLines } from "../ui/table.ts";
import { nameText } from "./columns.ts";
import { findTransfer } from "./find-transfer.ts";

const ROLES = { share: "shared from here", get: "download", mirror: "mirror, stored without being opened" };

/** What a screen has room for beside the rest; `--json` gives all. */
const NOTES_SHOWN = 10;

/** Prints one transfer, a fact a line. */
export async function showInfo(text: string, { terminal, daemon }: Session): Promise<void> {
  const client = await daemon.need();
  const transfer = await findTransfer(client, text);
  const { notes } = await client.call("notes", { id: transfer.id });
  const facts = [...factsOf(transfer), ...noteFacts(notes)];
  for (const line of factLines(facts, terminal.columns)) terminal.print(line);
  terminal.result("", { ...transfer, notes } satisfies Result<"info">);
}

function noteFacts(notes: readonly TransferNote[]): Fact[] {
  return notes
    .slice(-NOTES_SHOWN)
    .map(({ atMs, text }, at): Fact => [at === 0 ? "Notes" : "", `${formatTime(atMs)}  ${text}`]);
}

/** Where nobody is connected. */
const AT_REST: ReadonlySet<TransferState> = new Set(["done", "paused", "failed", "queued", "sealing"]);

type Fact = readonly [string, string];

function factsOf(transfer: Transfer): Fact[] {
  const { failure, waits } = transfer;
  return [
    ["Id", transfer.id],
    ["Name", nameText(transfer)],
    ["Role", ROLES[transfer.role]],
    ["State", transfer.state],
    ...(failure === null ? [] : failureFacts(failure)),
    ...(waits === null
      ? []
      : ([
          ["Waits", waits.why],
          ["Try", waits.fix],
        ] as Fact[])),
    ...progressFacts(transfer),
    ...contentFacts(transfer),
    ...(transfer.output === null ? [] : ([["Folder", transfer.output]] as Fact[])),
    ...transfer.paths.map((path): Fact => ["Put at", path]),
    ["Begun", formatTime(transfer.createdMs)],
    ...(transfer.finishedMs === null ? [] : ([["Finished", formatTime(transfer.finishedMs)]] as Fact[])),
  ];
}

function failureFacts({ code, what, why, fix }: NonNullable<Transfer["failure"]>): Fact[] {
  return [
    ["Error", `${code}: ${what}`],
    ["Why", why],
    ["Try", fix],
  ];
}

function progressFacts(transfer: Transfer): Fact[] {
  const { doneBytes, totalBytes, secondsLeft, downloadRate, uploadRate } = transfer;
  const left = secondsLeft === null ? "" : `, ${formatDuration(secondsLeft)} left`;
  const rate = (bytes: number): string => (bytes === 0 ? "" : ` (now ${formatRate(bytes)})`);
  return [
    ...(totalBytes > 0 && doneBytes < totalBytes
      ? ([["Done", `${formatBytesOf(doneBytes, totalBytes)}${left}`]] as Fact[])
      : []),
    ...(transfer.role === "share"
      ? []
      : ([["Fetched", `${formatBytes(transfer.downloadedBytes)}${rate(downloadRate)}`]] as Fact[])),
    ["Given", `${formatBytes(transfer.uploadedBytes)}${rate(uploadRate)}`],
    ...(AT_REST.has(transfer.state)
      ? []
      : ([
          ["Peers", String(transfer.peerCount)],
          ["Found at", count(transfer.gateCount, "gate")],
        ] as Fact[])),
  ];
}

function contentFacts(transfer: Transfer): Fact[] {
  const { kind, profile, fileCount, size, packLength, leftOutCount } = transfer;
  const sides = profile === "strong" ? "three" : "two";
  return [
    ...(fileCount === null || size === null
      ? []
      : ([["Files", filesText(transfer, fileCount, size)]] as Fact[])),
    ...(leftOutCount === 0 ? [] : ([["Left out", count(leftOutCount, "entry", "entries")]] as Fact[])),
    ...(packLength === null ? [] : ([["Pack", formatBytes(packLength)]] as Fact[])),
    ...(kind === null
      ? []
      : ([["Opens", kind === "read" ? "with its link" : "with a password or somebody's key"]] as Fact[])),
    ["Path", `${profile}: ${sides} relays on each side of the gate`],
  ];
}

function filesText(
  { skippedCount, chosenSize }: Pick<Transfer, "skippedCount" | "chosenSize">,
  fileCount: number,
  size: number,
): string {
  if (skippedCount === 0) return `${count(fileCount, "file")}, ${formatBytes(size)}`;
  const chosen = chosenSize === null ? "" : `, ${formatBytes(chosenSize)} of ${formatBytes(size)}`;
  return `${(fileCount - skippedCount).toLocaleString("en-US")} of ${count(fileCount, "file")}${chosen}`;
}
