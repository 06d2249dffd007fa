import { API_PREFIX, EVENTS_PATH } from "@backroom/api/places.ts";
import { ROUTES, type CallContext, type Handlers, type Route, type RouteName } from "@backroom/api/routes.ts";
import type { Scope } from "@backroom/api/schemas/daemon.ts";
import type { Clock } from "@backroom/core/base/clock.ts";
import { BackroomError, codeOf, isBackroomError } from "@backroom/core/base/errors.ts";
import type { Log } from "@backroom/core/base/log.ts";
import { Hono, type Context } from "hono";
import type { TokenRecord } from "../catalogue/catalogue.ts";
import type { Access } from "./access.ts";
import { inputSchemas, queryOf, validated } from "./api-input.ts";
import type { Environment } from "./environment.ts";
import type { EventHub } from "./event-hub.ts";
import { sendEvents } from "./event-response.ts";
import { metricsText, METRICS_TYPE, type Metric } from "./metrics-text.ts";
import { PROBLEM_TYPE, problemOf } from "./problem.ts";
import { assertInReach, reachOf } from "../reach.ts";
import { bytesOf, expectNoBody, expectType, readJson } from "./request-body.ts";
import type { Asset, Assets } from "./static-assets.ts";

export interface ApiDeps {
  readonly handlers: Handlers;
  readonly access: Access;
  readonly events: EventHub;
  readonly metrics: () => Promise<readonly Metric[]>;
  /** The OpenAPI document, as JSON. */
  readonly openApi: string;
  /** What the page is made of. */
  readonly assets: Assets;
  /** As it is set now. */
  readonly downloadsFolder: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

type App = Hono<{ Bindings: Environment }>;
type Asked = Context<{ Bindings: Environment }>;

/** Everything that is served besides content of shares. Who asks has been through the door already. */
export function createApi(deps: ApiDeps): App {
  const { access, log } = deps;
  const app: App = new Hono({ strict: true });
  app.onError((error, { req }) => {
    const isFault = !isBackroomError(error) || error.code === "E_INTERNAL";
    if (isFault) log("warn", "an operation of the API failed", { code: codeOf(error) });
    return problemResponse(error, req.method === "HEAD");
  });
  app.notFound(({ req }) =>
    problemResponse(new BackroomError("E_NOT_FOUND", "nothing is served there"), req.method === "HEAD"),
  );

  const tokenFor = (asked: Asked, scope: Scope | null): TokenRecord | null => {
    const { isOwner, incoming } = asked.env;
    if (isOwner || scope === null) return null;
    return access.check(incoming.headers.authorization, incoming.socket.remoteAddress ?? "", scope);
  };

  for (const [name, route] of Object.entries(ROUTES) as [RouteName, Route][]) {
    const schemas = inputSchemas(route);
    const handler = deps.handlers[name] as (input: object, context: CallContext) => Promise<object>;
    app.on(route.method, API_PREFIX + route.path.replace(/\{(\w+)\}/g, ":$1"), async (asked) => {
      const token = tokenFor(asked, route.scope);
      const { incoming } = asked.env;
      if (route.body === undefined) expectNoBody(incoming);
      else expectType(incoming, route.body === "stream" ? "application/octet-stream" : "application/json");
      const input = {
        ...validated(schemas.params, asked.req.param()),
        ...validated(schemas.query, queryOf(asked.req.url)),
        ...(schemas.body === undefined ? {} : validated(schemas.body, await readJson(incoming, deps.clock))),
      };
      const reach = reachOf(token, deps.downloadsFolder());
      assertInReach(input, reach);
      const answer = await handler(input, {
        signal: goneSignal(asked.env),
        stream: route.body === "stream" ? bytesOf(incoming) : nothing(),
        tokenId: token?.id ?? null,
        reach,
        host: asked.env.isOwner ? null : (incoming.headers.host ?? null),
        address: incoming.socket.remoteAddress ?? "",
      });
      // Whatever else a handler's object holds stays here.
      return asked.json(route.answer.parse(answer));
    });
  }

  app.get(EVENTS_PATH, async (asked) => {
    const token = tokenFor(asked, "read");
    expectNoBody(asked.env.incoming);
    return await sendEvents(asked.env, deps.events, () => token === null || access.isStillGood(token));
  });
  app.get("/metrics", async (asked) => {
    tokenFor(asked, "read");
    return asked.body(metricsText(await deps.metrics()), 200, { "content-type": METRICS_TYPE });
  });
  app.get("/openapi.json", (asked) => asked.body(deps.openApi, 200, { "content-type": "application/json" }));
  app.get("/healthz", (asked) => asked.json({ ok: true }));
  for (const [path, asset] of deps.assets) app.get(path, (asked) => assetResponse(asked, asset));
  return app;
}

function assetResponse(asked: Asked, { bytes, type, etag }: Asset): Response {
  // Asked for again each time, so that a new version is seen at once, and sent only when it is one.
  const headers = { etag, "cache-control": "no-cache" };
  if (asked.req.header("if-none-match") === etag) return asked.body(null, 304, headers);
  return asked.body(new Uint8Array(bytes), 200, { ...headers, "content-type": type });
}

/** Also for the content port. */
export function problemResponse(error: unknown, isHead: boolean): Response {
  const problem = problemOf(error);
  return new Response(isHead ? null : JSON.stringify(problem), {
    status: problem.status,
    headers: {
      "content-type": PROBLEM_TYPE,
      ...(problem.status === 401 ? { "www-authenticate": "Bearer" } : {}),
      ...(problem.retry === "later" ? { "retry-after": "5" } : {}),
    },
  });
}

/** Aborted when the client is gone before it was answered. */
export function goneSignal({ outgoing }: Environment): AbortSignal {
  const abort = new AbortController();
  if (outgoing.destroyed) abort.abort();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) abort.abort();
  });
  return abort.signal;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
