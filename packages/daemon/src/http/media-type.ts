/**
 * What a browser may show by itself, by the end of a name. Nothing that holds a script or a form is here, sandboxed or not: no HTML, no SVG, no XML, no
 * PDF. Text is plain text, whatever it is.
 */
const SHOWN: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  mp4: "video/mp4",
  m4v: "video/mp4",
  webm: "video/webm",
  ogv: "video/ogg",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  ogg: "audio/ogg",
  oga: "audio/ogg",
  opus: "audio/ogg",
  flac: "audio/flac",
  wav: "audio/wav",
  txt: "text/plain; charset=utf-8",
  md: "text/plain; charset=utf-8",
  log: "text/plain; charset=utf-8",
  csv: "text/plain; charset=utf-8",
};

/** How content of that name is sent: to be shown, or to be saved under its name. */
export function presentationOf(path: string): { readonly type: string; readonly disposition: string } {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const type = Object.hasOwn(SHOWN, ending) ? SHOWN[ending] : undefined;
  // RFC 6266, and RFC 8187, whose letters are fewer than those that encodeURIComponent leaves.
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const disposition = `${type === undefined ? "attachment" : "inline"}; filename*=UTF-8''${encoded}`;
  return { type: type ?? "application/octet-stream", disposition };
}
