import type { Transfer, TransferState } from "@backroom/api/schemas/transfer.ts";
import { formatBytes, formatDuration, formatRate } from "../ui/format.ts";
import type { Column } from "../ui/table.ts";
import type { Color, Terminal } from "../ui/terminal.ts";
import { shortId } from "./short-id.ts";

const COLORS: Readonly<Partial<Record<TransferState, Color>>> = {
  seeding: "green",
  done: "green",
  failed: "red",
  paused: "yellow",
  looking: "yellow",
  choosing: "yellow",
  downloading: "cyan",
  sealing: "cyan",
  opening: "cyan",
  checking: "cyan",
};

/** Below these widths of a terminal the less important columns are left out. */
const WIDE = 100;
const MIDDLE = 70;

/** The columns that a terminal has room for; all of them, with whole ids, where nobody watches. */
export function transferColumns({ columns, paint }: Pick<Terminal, "columns" | "paint">): Column<Transfer>[] {
  const room = columns ?? Infinity;
  const id: Column<Transfer> = {
    title: "ID",
    align: "left",
    text: (transfer) => (columns === undefined ? transfer.id : shortId(transfer.id)),
  };
  const state: Column<Transfer> = {
    title: "STATE",
    align: "left",
    text: (transfer) => stateText(transfer),
    paint: (cell, transfer) => {
      const color = COLORS[transfer.state];
      return color === undefined ? cell : paint(color, cell);
    },
  };
  const size = right("SIZE", ({ chosenSize, size: bytes, packLength }) => {
    const length = chosenSize ?? bytes ?? packLength;
    return length === null ? "" : formatBytes(length);
  });
  const name: Column<Transfer> = { title: "NAME", align: "left", text: nameText };
  const rates = [
    right("DOWN", ({ downloadRate }) => rateText(downloadRate)),
    right("UP", ({ uploadRate }) => rateText(uploadRate)),
  ];
  const more = [
    right("PEERS", ({ peerCount }) => (peerCount === 0 ? "" : String(peerCount))),
    right("LEFT", ({ secondsLeft }) => (secondsLeft === null ? "" : formatDuration(secondsLeft))),
  ];
  if (room >= WIDE) return [id, state, size, ...rates, ...more, name];
  if (room >= MIDDLE) return [id, state, size, ...rates, name];
  return [id, state, name];
}

function right(title: string, text: (transfer: Transfer) => string): Column<Transfer> {
  return { title, align: "right", text };
}

/** With how far it is, where something moves or was stopped on its way. */
export function stateText({ state, doneBytes, totalBytes }: Transfer): string {
  const isPart = totalBytes > 0 && doneBytes < totalBytes && state !== "seeding" && state !== "failed";
  return isPart ? `${state} ${Math.floor((doneBytes / totalBytes) * 100)} %` : state;
}

/** A locked link does not always say a name. */
export function nameText({ name }: Pick<Transfer, "name">): string {
  return name === "" ? "(no name)" : name;
}

function rateText(rate: number): string {
  return rate === 0 ? "" : formatRate(rate);
}
