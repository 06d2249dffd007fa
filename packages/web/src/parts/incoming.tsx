import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";
import { asked, ask, type Asked } from "../state/asking.ts";
import { useLive } from "../state/live.ts";
import { fromDrop } from "../state/picked-files.ts";
import { goTo, type Place } from "../state/place.ts";
import { useMessages } from "../messages/languages.tsx";

const ShareSheet = lazy(async () => ({ default: (await import("../sheets/share-sheet.tsx")).ShareSheet }));
const OpenSheet = lazy(async () => ({ default: (await import("../sheets/open-sheet.tsx")).OpenSheet }));
const LinksSheet = lazy(async () => ({ default: (await import("../sheets/links-sheet.tsx")).LinksSheet }));
const RemoveSheet = lazy(async () => ({ default: (await import("../sheets/remove-sheet.tsx")).RemoveSheet }));
const OpenPackSheet = lazy(async () => ({
  default: (await import("../sheets/open-pack-sheet.tsx")).OpenPackSheet,
}));
const RelocateSheet = lazy(async () => ({
  default: (await import("../sheets/relocate-sheet.tsx")).RelocateSheet,
}));

const LINK = /(?:web\+)?backroom(?:-join)?:[a-z2-7]/i;

/** Whatever comes to the page from outside: files that are dropped, links that are pasted or followed; and the sheet that it opens. */
export function Incoming({ place }: { readonly place: Place }): ReactNode {
  const t = useMessages();
  const what = useLive(asked);
  const isOver = useDropsAndPastes();
  const followed = place.name === "open" ? place.query.get("link") : null;
  useEffect(() => {
    if (followed === null) return;
    // Out of the address bar and the history: it is a secret.
    history.replaceState(null, "", `${location.pathname}#/transfers`);
    ask({ kind: "open", text: followed.replace(/^web\+/i, "") });
  }, [followed]);
  return (
    <>
      {isOver && <div className="drop-here">{t.share.drop}</div>}
      <Suspense fallback={null}>{what !== null && sheetOf(what, () => asked.set(null))}</Suspense>
    </>
  );
}

function sheetOf(what: Asked, onClose: () => void): ReactNode {
  const onDone = (id: string): void => {
    onClose();
    goTo(`transfer/${id}`);
  };
  if (what.kind === "share") return <ShareSheet files={what.files} onClose={onClose} onDone={onDone} />;
  if (what.kind === "open") return <OpenSheet text={what.text} onClose={onClose} onDone={onDone} />;
  if (what.kind === "links") return <LinksSheet id={what.id} onClose={onClose} />;
  if (what.kind === "remove") return <RemoveSheet id={what.id} onClose={onClose} />;
  if (what.kind === "relocate") return <RelocateSheet id={what.id} onClose={onClose} />;
  return <OpenPackSheet id={what.id} onClose={onClose} />;
}

/** Whether something that could be shared is over the page just now. */
function useDropsAndPastes(): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
    addEventListener(
      "dragover",
      (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(true);
      },
      { signal },
    );
    addEventListener("dragleave", (event) => event.relatedTarget === null && setOver(false), { signal });
    addEventListener(
      "drop",
      (event) => {
        setOver(false);
        const transfer = event.dataTransfer;
        if (transfer === null) return;
        const text = transfer.getData("text/plain");
        if (hasFiles(event)) {
          event.preventDefault();
          void fromDrop(transfer).then((files) => files.length > 0 && ask({ kind: "share", files }));
        } else if (LINK.test(text)) {
          event.preventDefault();
          ask({ kind: "open", text: text.trim() });
        }
      },
      { signal },
    );
    addEventListener(
      "paste",
      (event) => {
        if ((event.target as HTMLElement).closest("input, textarea") !== null) return;
        const text = event.clipboardData?.getData("text/plain") ?? "";
        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length > 0) ask({ kind: "share", files: files.map((file) => ({ path: file.name, file })) });
        else if (LINK.test(text)) ask({ kind: "open", text: text.trim() });
      },
      { signal },
    );
    return () => stop.abort();
  }, []);
  return isOver;
}
