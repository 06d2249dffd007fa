import { openApiDocument } from "@backroom/api/openapi/document.ts";
import type { Handlers } from "@backroom/api/routes.ts";
import type { LocalEndpoint } from "@backroom/api/client/node-transport.ts";
import type { DaemonContext } from "../context.ts";
import type { ShareContent } from "../engine/content.ts";
import { Access } from "./access.ts";
import { createApi } from "./api-app.ts";
import { createContent } from "./content-app.ts";
import { ContentUrls } from "./content-url.ts";
import type { DoorRules } from "./door.ts";
import type { EventHub } from "./event-hub.ts";
import { listenHttp, type HttpListener, type ListenerOptions } from "./listener.ts";
import type { Metric } from "./metrics-text.ts";
import { createPageHandlers } from "./page-handlers.ts";
import { listenPage, PagePlaces } from "./page-listeners.ts";
import { contentOriginFor, planPage } from "./page-plan.ts";
import { socketHeaders } from "./security-headers.ts";
import type { Assets } from "./static-assets.ts";
import { openUploads } from "./uploads.ts";

/** Operations that this part answers itself. */
type OwnNames =
  | "openPage"
  | "beginSession"
  | "endSession"
  | "contentUrl"
  | "beginUpload"
  | "uploadFile"
  | "shareUpload"
  | "dropUpload";

export interface ServerDeps {
  readonly context: Pick<DaemonContext, "folder" | "catalogue" | "settings" | "machine" | "log">;
  readonly events: EventHub;
  /** What all other parts answer. */
  readonly handlers: Omit<Handlers, OwnNames>;
  readonly content: ShareContent;
  readonly metrics: () => Promise<readonly Metric[]>;
  readonly assets: Assets;
  /** Where the command line finds the daemon. The folder's lock is held by then. */
  readonly endpoint: LocalEndpoint;
  readonly version: string;
}

export interface RunningServer {
  /** `http://127.0.0.1:PORT/`, or null where no page is served. */
  readonly page: string | null;
  /** 0 likewise. */
  readonly contentPort: number;
  /** What somebody should know of where it is served. */
  readonly warnings: readonly string[];
  /** Ends what is served, within two seconds. */
  close(): Promise<void>;
}

/**
 * Serves the API over the socket, the page with the API over TCP, and content of shares at a port of its own. Raises E_PORT_IN_USE, E_LISTEN, E_SETTING
 * for settings of the page that would open it to strangers, E_STORE; and then nothing listens.
 */
export async function startServer(deps: ServerDeps): Promise<RunningServer> {
  const { context, events } = deps;
  const { catalogue, log, machine } = context;
  const { clock, random } = machine;
  const plan = planPage(context.settings);
  const places = new PagePlaces();

  const access = new Access({ tokens: catalogue.tokens, clock, random });
  const urls = new ContentUrls({ clock, random });
  const uploads = await openUploads({
    root: context.folder.root,
    catalogue,
    addShare: (input, call) => deps.handlers.addShare(input, call),
    clock,
    random,
  });
  const pageHandlers = createPageHandlers({
    access,
    urls,
    catalogue,
    page: () => places.page,
    contentOrigin: (host) => (plan === undefined ? "" : contentOriginFor(plan, host, places.contentPort)),
  });
  const api = createApi({
    handlers: { ...deps.handlers, ...pageHandlers.handlers, ...uploads.handlers },
    access,
    events,
    metrics: deps.metrics,
    openApi: JSON.stringify(openApiDocument(deps.version)),
    assets: deps.assets,
    downloadsFolder: () => context.settings.get("downloads.folder"),
    clock,
    log,
  });

  const listeners: HttpListener[] = [];
  const close = async (): Promise<void> => {
    await uploads.close();
    events.close();
    await Promise.all(listeners.map((one) => one.close()));
  };
  const listen = async (options: ListenerOptions): Promise<number> => {
    const listener = await listenHttp(options);
    listeners.push(listener);
    return listener.port;
  };
  let warnings: readonly string[] = [];
  try {
    if (plan !== undefined) {
      const content = createContent({ urls, content: deps.content, log });
      const { settings } = context;
      warnings = await listenPage(plan, { settings, catalogue, places, api, content, listen });
    }
    // Last, so that whoever finds the daemon finds all of it.
    const local: DoorRules = { hosts: new Map([["localhost", null]]), serves: "socket" };
    await listen({
      at: { path: deps.endpoint.socketPath },
      rules: () => local,
      headers: socketHeaders,
      owner: { secret: deps.endpoint.secret },
      app: api,
    });
  } catch (error) {
    await close();
    throw error;
  }
  log("info", "the daemon listens for its clients");
  return { page: places.page, contentPort: places.contentPort, warnings, close };
}
