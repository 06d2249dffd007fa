import type { ReactNode } from "react";
import { useMessages } from "../messages/languages.tsx";
import { Sheet } from "./basics.tsx";
import { showable } from "./format.ts";

type Kind = "image" | "video" | "audio";

/** What the browser shows by itself, in an element that runs nothing. */
const SHOWN_AS: readonly (readonly [RegExp, Kind])[] = [
  [/\.(png|jpe?g|gif|webp|avif)$/i, "image"],
  [/\.(mp4|m4v|webm|ogv)$/i, "video"],
  [/\.(mp3|m4a|ogg|opus|flac|wav)$/i, "audio"],
];

/** Undefined for what is not shown here. */
export function kindOf(path: string): Kind | undefined {
  return SHOWN_AS.find(([pattern]) => pattern.test(path))?.[1];
}

/** One file of a share from the content port: what others made never runs where this page does. */
export function Preview({
  path,
  url,
  onClose,
}: {
  readonly path: string;
  readonly url: string;
  readonly onClose: () => void;
}): ReactNode {
  const label = showable(path);
  return (
    <Sheet title={label} onClose={onClose}>
      <Shown kind={kindOf(path)} url={url} label={label} />
    </Sheet>
  );
}

function Shown({
  kind,
  url,
  label,
}: {
  readonly kind: Kind | undefined;
  readonly url: string;
  readonly label: string;
}): ReactNode {
  const t = useMessages();
  if (kind === "image") return <img className="preview" src={url} alt={label} />;
  // Subtitles would have to come with the share.
  if (kind === "video")
    return <video className="preview" src={url} aria-label={label} controls preload="metadata" />;
  if (kind === "audio")
    return <audio className="preview" src={url} aria-label={label} controls preload="metadata" />;
  return <p>{t.transfer.previewNone}</p>;
}

/** The content port answers with an attachment, so the page stays. */
export function save(url: string): void {
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.rel = "noreferrer";
  anchor.download = "";
  anchor.click();
}
