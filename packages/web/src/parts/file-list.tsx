import type { Answer } from "@backroom/api/routes.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState, type ReactNode } from "react";
import { call } from "../api/daemon.ts";
import { useMessages } from "../messages/languages.tsx";
import { attempt } from "../state/transfer-work.ts";
import { Bar } from "./bar.tsx";
import { Button, Sheet, Trouble } from "./basics.tsx";
import { formatBytes, showable } from "./format.ts";

type File = Answer<"files">["files"][number];

const ROW_PX = 48;
/** What the browser shows by itself, in an element that runs nothing. */
const SHOWN_AS: readonly (readonly [RegExp, "image" | "video" | "audio"])[] = [
  [/\.(png|jpe?g|gif|webp|avif)$/i, "image"],
  [/\.(mp4|m4v|webm|ogv)$/i, "video"],
  [/\.(mp3|m4a|ogg|opus|flac|wav)$/i, "audio"],
];

export function FileList({ transfer }: { readonly transfer: Transfer }): ReactNode {
  const t = useMessages();
  const [shown, setShown] = useState<{ readonly file: File; readonly url: string } | null>(null);
  const query = useInfiniteQuery({
    // Anew while it arrives, at every hundredth.
    queryKey: [
      "files",
      transfer.id,
      Math.floor((100 * transfer.doneBytes) / Math.max(1, transfer.totalBytes)),
    ],
    queryFn: ({ pageParam }) =>
      call("files", { id: transfer.id, ...(pageParam === "" ? {} : { after: pageParam }) }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const files = query.data?.pages.flatMap((page) => page.files) ?? [];
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: files.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
  });

  /** An address that holds for a while, on the content port: what others made never runs where this page does. */
  const withUrl = (file: File, use: (url: string) => void): void => {
    attempt(
      call("contentUrl", { id: transfer.id, path: file.path }).then(({ url }) => use(url)),
      transfer.id,
    );
  };

  if (query.error !== null)
    return transfer.state === "done" ? <Places transfer={transfer} /> : <Trouble error={query.error} />;
  if (query.data === undefined) return <p className="muted">{t.loading}</p>;
  if (files.length === 0) return <p className="muted">{t.transfer.filesLater}</p>;
  return (
    <>
      <div className="files" ref={scroller} role="list" aria-label={t.transfer.files} tabIndex={0}>
        <div role="presentation" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const file = files[index] as File;
            const name = showable(file.path);
            const kind = kindOf(file.path);
            return (
              <div
                key={file.path}
                role="listitem"
                data-index={index}
                ref={virtual.measureElement}
                className="file"
                style={{ transform: `translateY(${start}px)` }}
              >
                <bdi title={name}>{name}</bdi>
                <span className="muted">{formatBytes(file.size, t)}</span>
                <Bar
                  label={`${name}: ${t.transfer.arrived}`}
                  value={file.size === 0 ? 1 : file.doneBytes / file.size}
                  tone={file.doneBytes === file.size ? "done" : "going"}
                />
                <span className="row">
                  {kind !== undefined && (
                    <Button
                      aria-label={`${t.transfer.look}: ${name}`}
                      onPress={() => withUrl(file, (url) => setShown({ file, url }))}
                    >
                      {t.transfer.look}
                    </Button>
                  )}
                  <Button aria-label={`${t.transfer.download}: ${name}`} onPress={() => withUrl(file, save)}>
                    {t.transfer.download}
                  </Button>
                </span>
              </div>
            );
          })}
        </div>
      </div>
      {query.hasNextPage && <Button onPress={() => void query.fetchNextPage()}>{t.action.more}</Button>}
      {shown !== null && (
        <Sheet title={showable(shown.file.path)} onClose={() => setShown(null)}>
          <Preview kind={kindOf(shown.file.path)} url={shown.url} label={showable(shown.file.path)} />
        </Sheet>
      )}
    </>
  );
}

/** A download that is not handed out keeps no pack to list: what there is to see is where the files went. */
function Places({ transfer }: { readonly transfer: Transfer }): ReactNode {
  const t = useMessages();
  return (
    <>
      <p>{t.transfer.at}:</p>
      <ul className="plain">
        {transfer.paths.map((place) => (
          <li key={place}>
            <bdi>{showable(place)}</bdi>
          </li>
        ))}
      </ul>
    </>
  );
}

function Preview({
  kind,
  url,
  label,
}: {
  readonly kind: ReturnType<typeof kindOf>;
  readonly url: string;
  readonly label: string;
}): ReactNode {
  const t = useMessages();
  if (kind === "image") return <img className="preview" src={url} alt={label} />;
  // Subtitles would have to come with the share.
  if (kind === "video")
    return <video className="preview" src={url} aria-label={label} controls preload="metadata" />;
  if (kind === "audio") return <audio src={url} aria-label={label} controls preload="metadata" />;
  return <p>{t.transfer.previewNone}</p>;
}

function kindOf(path: string): "image" | "video" | "audio" | undefined {
  return SHOWN_AS.find(([pattern]) => pattern.test(path))?.[1];
}

/** The content port answers with an attachment, so the page stays. */
function save(url: string): void {
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.rel = "noreferrer";
  anchor.download = "";
  anchor.click();
}
