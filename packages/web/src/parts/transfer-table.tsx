import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import {
  createColumnHelper,
  createSortedRowModel,
  rowSortingFeature,
  sortFn_basic,
  sortFn_text,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useRef, type KeyboardEvent, type ReactNode } from "react";
import type { Messages } from "../messages/en.ts";
import { useMessages } from "../messages/languages.tsx";
import { chosen } from "../state/choice.ts";
import { goTo } from "../state/place.ts";
import { useTransfer } from "../state/transfers.ts";
import { Bar } from "./bar.tsx";
import { Button } from "./basics.tsx";
import { shortly } from "./daemon-words.tsx";
import { focusRow } from "./focus-row.ts";
import { formatBytes, formatDuration, formatRate, fraction, partOf, showable, sizeOf } from "./format.ts";
import { TransferActions } from "./transfer-actions.tsx";

const ROW_PX = 64;

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic, text: sortFn_text },
});
const helper = createColumnHelper<typeof features, Transfer>();
const columns = helper.columns([
  helper.accessor("name", { sortFn: "text" }),
  helper.accessor("state", { sortFn: "text" }),
  helper.accessor((transfer) => fraction(transfer), { id: "progress", sortFn: "basic" }),
  helper.accessor((transfer) => sizeOf(transfer) ?? 0, { id: "size", sortFn: "basic" }),
  helper.accessor((transfer) => transfer.downloadRate + transfer.uploadRate, { id: "rate", sortFn: "basic" }),
]);
const SHOWN = ["name", "state", "progress", "size", "rate"] as const;

/** Any number of transfers: only the rows in sight are in the document, and a change renders its own row. */
export function TransferTable({ transfers }: { readonly transfers: readonly Transfer[] }): ReactNode {
  const t = useMessages();
  const table = useTable({ features, columns, data: transfers, getRowId: ({ id }) => id });
  const { rows } = table.getRowModel();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 6,
  });

  const moveFocus = (event: KeyboardEvent): void => {
    const at =
      Number((event.target as HTMLElement).closest("[aria-rowindex]")?.getAttribute("aria-rowindex")) - 2;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity }[
      event.key
    ];
    if (step === undefined || Number.isNaN(at) || !(event.target as HTMLElement).matches("[role=row]"))
      return;
    event.preventDefault();
    const to = Math.max(0, Math.min(rows.length - 1, at + step));
    focusRow(scroller.current, to + 2, () => virtual.scrollToIndex(to));
  };

  return (
    <div
      className="table"
      role="grid"
      aria-label={t.transfers.title}
      aria-rowcount={rows.length + 1}
      onKeyDown={moveFocus}
    >
      <div className="table-head" role="row" aria-rowindex={1}>
        {SHOWN.map((id) => {
          const column = table.getColumn(id);
          const sorted = column?.getIsSorted();
          return (
            <div
              key={id}
              role="columnheader"
              className={`cell cell-${id}`}
              aria-sort={sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : "none"}
            >
              <Button onPress={() => column?.toggleSorting()}>
                {t.transfers[id]}
                <span aria-hidden="true">{sorted === "asc" ? " ↑" : sorted === "desc" ? " ↓" : ""}</span>
              </Button>
            </div>
          );
        })}
        <div role="columnheader" className="cell cell-actions">
          <span className="hidden">{t.action.more}</span>
        </div>
      </div>
      <div className="table-body" role="rowgroup" ref={scroller}>
        <div role="presentation" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ key, index, start }) => (
            <Row key={key} id={rows[index]?.id ?? ""} index={index} start={start} />
          ))}
        </div>
      </div>
    </div>
  );
}

const Row = memo(function Row({
  id,
  index,
  start,
}: {
  readonly id: string;
  readonly index: number;
  readonly start: number;
}): ReactNode {
  const t = useMessages();
  const transfer = useTransfer(id);
  if (transfer === undefined) return null;
  const name = showable(transfer.name) || t.transfers.unnamed;
  const size = sizeOf(transfer);
  const { downloadRate, uploadRate, secondsLeft } = transfer;
  const rate =
    downloadRate > 0
      ? `↓ ${formatRate(downloadRate, t)}`
      : uploadRate > 0
        ? `↑ ${formatRate(uploadRate, t)}`
        : "";
  return (
    <div
      className={`table-row state-${transfer.state}`}
      role="row"
      aria-rowindex={index + 2}
      tabIndex={0}
      style={{ transform: `translateY(${start}px)` }}
      onFocus={() => chosen.set(id)}
      onClick={(event) => (event.target as HTMLElement).closest("button") === null && goTo(`transfer/${id}`)}
      onKeyDown={(event) =>
        event.key === "Enter" && event.target === event.currentTarget && goTo(`transfer/${id}`)
      }
    >
      <div role="gridcell" className="cell cell-name">
        <bdi title={name}>{name}</bdi>
        <span className="muted">{[t.role[transfer.role], ...partOf(transfer, t)].join(" · ")}</span>
      </div>
      <div role="gridcell" className="cell cell-state">
        <span>{t.state[transfer.state]}</span>
        <span className="muted">{troubleOf(transfer, t)}</span>
      </div>
      <div role="gridcell" className="cell cell-progress">
        <Bar label={`${name}: ${t.transfers.progress}`} value={fraction(transfer)} tone={toneOf(transfer)} />
        <span className="muted">
          {secondsLeft === null ? "" : t.transfer.left(formatDuration(secondsLeft))}
        </span>
      </div>
      <div role="gridcell" className="cell cell-size">
        {size === null ? "" : formatBytes(size, t)}
      </div>
      <div role="gridcell" className="cell cell-rate">
        <span>{rate}</span>
        <span className="muted">
          {transfer.peerCount > 0 ? `${t.transfers.peers}: ${transfer.peerCount}` : ""}
        </span>
      </div>
      <div role="gridcell" className="cell cell-actions">
        <TransferActions transfer={transfer} />
      </div>
    </div>
  );
});

function troubleOf({ waits, failure }: Transfer, t: Messages): string {
  if (waits !== null) return shortly({ ...waits, what: waits.why }, t);
  return failure === null ? "" : shortly(failure, t);
}

export function toneOf({
  state,
  waits,
}: Pick<Transfer, "state" | "waits">): "going" | "done" | "waiting" | "failed" {
  if (state === "failed") return "failed";
  if (state === "done" || state === "seeding") return "done";
  return waits === null && state !== "paused" && state !== "queued" ? "going" : "waiting";
}
