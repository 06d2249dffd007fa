import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BackroomError, codeOf, isBackroomError } from "@backroom/core/base/errors.ts";
import type { Log } from "@backroom/core/base/log.ts";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import type { ShareContent } from "../engine/content.ts";
import { goneSignal, problemResponse } from "./api-app.ts";
import { rangeOf } from "./byte-range.ts";
import type { ContentUrls } from "./content-url.ts";
import type { Environment } from "./environment.ts";
import { presentationOf } from "./media-type.ts";

export interface ContentDeps {
  readonly urls: ContentUrls;
  readonly content: ShareContent;
  readonly log: Log;
}

/** The content of shares, and nothing else: what strangers wrote is served from an origin where there is nothing to steal. */
export function createContent({ urls, content, log }: ContentDeps): Hono<{ Bindings: Environment }> {
  const app = new Hono<{ Bindings: Environment }>();
  app.onError((error, { req }) => {
    if (!isBackroomError(error))
      log("warn", "content of a share could not be served", { code: codeOf(error) });
    return problemResponse(error, req.method === "HEAD");
  });
  app.notFound(({ req }) =>
    problemResponse(new BackroomError("E_NOT_FOUND", "nothing is served there"), req.method === "HEAD"),
  );
  app.get("/healthz", (asked) => asked.json({ ok: true }));
  app.get("/content/*", async ({ env, req }) => {
    const { incoming, outgoing } = env;
    const place = urls.check(incoming.url ?? "");
    const file = await content.open(place.transferId, place.path, goneSignal(env));
    const { type, disposition } = presentationOf(place.path);
    const etag = `"${createHash("sha256").update(`${place.transferId}\n${place.path}`).digest("base64url")}"`;
    const ifRange = incoming.headers["if-range"];
    const wanted =
      ifRange === undefined || ifRange === etag ? rangeOf(incoming.headers.range, file.size) : undefined;
    const headers = {
      "content-type": type,
      "content-disposition": disposition,
      "accept-ranges": "bytes",
      etag,
    };
    if (wanted === "unsatisfiable") {
      outgoing.writeHead(416, { "content-range": `bytes */${file.size}`, "content-length": 0 });
      outgoing.end();
      return RESPONSE_ALREADY_SENT;
    }
    const { start, end } = wanted ?? { start: 0, end: file.size };
    outgoing.writeHead(wanted === undefined ? 200 : 206, {
      ...headers,
      "content-length": end - start,
      ...(wanted === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${file.size}` }),
    });
    if (req.method === "HEAD") outgoing.end();
    else await send(file.read(start, end), outgoing, log);
    return RESPONSE_ALREADY_SENT;
  });
  return app;
}

/** What fails in the middle can only be shown by cutting the connection: the length was promised. */
async function send(
  bytes: AsyncIterable<Uint8Array>,
  outgoing: Environment["outgoing"],
  log: Log,
): Promise<void> {
  try {
    await pipeline(Readable.from(bytes, { objectMode: false }), outgoing);
  } catch (error) {
    if (isBackroomError(error)) log("debug", "content of a share was cut off", { code: error.code });
    outgoing.destroy();
  }
}
