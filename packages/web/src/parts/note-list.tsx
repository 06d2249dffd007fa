import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { Trouble } from "./basics.tsx";
import { shortly } from "./daemon-words.tsx";

/** What happened to a transfer, the newest first; the daemon tells when there is more. */
export function NoteList({ id }: { readonly id: string }): ReactNode {
  const t = useMessages();
  // Whatever came while nobody looked was not asked for.
  const query = useQuery({ queryKey: ["notes", id], queryFn: () => call("notes", { id }), staleTime: 0 });
  if (query.error !== null) return <Trouble error={query.error} />;
  if (query.data === undefined) return <p className="muted">{t.loading}</p>;
  const { notes } = query.data;
  if (notes.length === 0) return <p className="muted">{t.notes.none}</p>;
  return (
    <ol className="notes" reversed aria-label={t.transfer.log}>
      {notes.toReversed().map(({ number, atMs, level, kind, code, text }) => (
        <li key={number} className={`note-${level}`}>
          <time dateTime={new Date(atMs).toISOString()}>{t.time(atMs)}</time>
          <span>
            {kind === "failed" && <strong>{t.state.failed}: </strong>}
            {kind === "failed" || kind === "said"
              ? shortly({ code: code ?? undefined, what: text }, t)
              : t.notes[kind]}
          </span>
        </li>
      ))}
    </ol>
  );
}
