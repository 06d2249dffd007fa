import { createHash } from "node:crypto";

export interface Asset {
  readonly bytes: Uint8Array;
  readonly type: string;
  readonly etag: string;
}

/** By exact path, beginning with `/`. Nothing is looked up on a disk, so there is no path to be tricked with. */
export type Assets = ReadonlyMap<string, Asset>;

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  json: "application/json",
  webmanifest: "application/manifest+json",
  woff2: "font/woff2",
};

/** A page's files, by name with `/` between folders; `index.html` is served at `/`, and nowhere else. */
export function assetsOf(files: ReadonlyMap<string, Uint8Array>): Assets {
  const assets = new Map<string, Asset>();
  for (const [name, bytes] of files) {
    const ending = name.slice(name.lastIndexOf(".") + 1);
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
    const type = TYPES[ending] ?? "application/octet-stream";
    assets.set(name === "index.html" ? "/" : `/${name}`, { bytes, type, etag });
  }
  return assets;
}

const NO_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Backroom</title>
<h1>Backroom runs</h1>
<p>The page is not part of this build. Use the command line, <code>backroom --help</code>, or the API, which <a href="/openapi.json">openapi.json</a> describes.</p>
</html>
`;

/** For builds without the page: says so, and runs nothing. */
export const NO_PAGE_ASSETS: Assets = assetsOf(new Map([["index.html", Buffer.from(NO_PAGE)]]));
