import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";

const COLUMNS = 64;

/** Which parts of the pack are here. Asked for again as more arrives. */
export function PieceMap({ id, doneBytes }: { readonly id: string; readonly doneBytes: number }): ReactNode {
  const t = useMessages();
  const { data } = useQuery({
    queryKey: ["pieces", id, doneBytes],
    queryFn: () => call("pieces", { id }),
    placeholderData: keepPreviousData,
  });
  if (data === undefined) return <p className="muted">{t.loading}</p>;
  const rows = Math.ceil(data.map.length / COLUMNS);
  return (
    <figure className="pieces">
      <svg
        viewBox={`0 0 ${COLUMNS} ${Math.max(1, rows)}`}
        role="img"
        aria-label={t.transfer.pieceCount(data.haveCount, data.pieceCount)}
      >
        {data.map.map((percent, at) => (
          <rect
            // A part of the pack is its place.
            key={at}
            x={(at % COLUMNS) + 0.06}
            y={Math.floor(at / COLUMNS) + 0.06}
            width="0.88"
            height="0.88"
            rx="0.15"
            className={percent === 100 ? "piece piece-all" : percent === 0 ? "piece" : "piece piece-some"}
          />
        ))}
      </svg>
      <figcaption className="muted">{t.transfer.pieceCount(data.haveCount, data.pieceCount)}</figcaption>
    </figure>
  );
}
