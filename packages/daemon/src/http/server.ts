import { readFile } from "node:fs/promises";
import { openApiDocument } from "@backroom/api/openapi/document.ts";
import type { Handlers } from "@backroom/api/routes.ts";
import type { LocalEndpoint } from "@backroom/api/client/node-transport.ts";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
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
import { contentHosts, contentOriginFor, pageHosts, planPage, type PagePlan } from "./page-plan.ts";
import { listenForPage } from "./page-port.ts";
import { contentHeaders, pageHeaders, socketHeaders } from "./security-headers.ts";
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

const NO_HOSTS: DoorRules["hosts"] = new Map();

/**
 * Serves the API over the socket, the page with the API over TCP, and content of shares at a port of its own. Raises E_PORT_IN_USE, E_LISTEN, E_SETTING
 * for settings of the page that would open it to strangers, E_STORE; and then nothing listens.
 */
export async function startServer(deps: ServerDeps): Promise<RunningServer> {
  const { context, events } = deps;
  const { catalogue, log, machine } = context;
  const { clock, random } = machine;
  const plan = planPage(context.settings);
  const served = { pageHosts: NO_HOSTS, contentHosts: NO_HOSTS, contentPort: 0 };
  const page = (): string | null => originsOf(served.pageHosts).map((origin) => `${origin}/`)[0] ?? null;

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
    page,
    contentOrigin: (host) => (plan === undefined ? "" : contentOriginFor(plan, host, served.contentPort)),
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

  const warnings: string[] = [];
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
  try {
    if (plan !== undefined) {
      const tls = await readTls(plan);
      served.contentPort = await portOf("content.port", () =>
        listen({
          at: { host: plan.host, port: plan.contentPort },
          tls,
          rules: () => ({ hosts: served.contentHosts, serves: "content" }),
          headers: () => contentHeaders(originsOf(served.pageHosts)),
          app: createContent({ urls, content: deps.content, log }),
        }),
      );
      served.contentHosts = contentHosts(plan, served.contentPort);
      const listenAt = (port: number): Promise<number> =>
        listen({
          at: { host: plan.host, port },
          tls,
          rules: () => ({ hosts: served.pageHosts, serves: "page" }),
          headers: () => pageHeaders(originsOf(served.contentHosts)),
          app: api,
        });
      const { port, isSubstitute } = await portOf("page.port", () => listenForPage(context, listenAt));
      served.pageHosts = pageHosts(plan, port);
      if (isSubstitute) warnings.push(substituteSentence(plan.port, page() ?? ""));
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
  return { page: page(), contentPort: served.contentPort, warnings, close };
}

function originsOf(hosts: DoorRules["hosts"]): string[] {
  return [...hosts.values()].filter((origin) => origin !== null);
}

async function readTls(plan: PagePlan): Promise<{ cert: string; key: string } | undefined> {
  if (plan.tls === undefined) return undefined;
  try {
    const [cert, key] = await Promise.all([
      readFile(plan.tls.certFile, "utf8"),
      readFile(plan.tls.keyFile, "utf8"),
    ]);
    return { cert, key };
  } catch (cause) {
    throw new BackroomError("E_SETTING", "the page's certificate or its key cannot be read", {
      cause,
      why: "page.tls-cert and page.tls-key name files that are not there, or not readable by the daemon",
    });
  }
}

function substituteSentence(port: number, page: string): string {
  return `Port ${port} is in use, perhaps by the daemon of another data folder: the page is at ${page}. For one that stays: BACKROOM_PAGE_PORT, or backroom config set page.port PORT`;
}

/** A port that is taken is a setting to be changed. */
async function portOf<T>(key: "page.port" | "content.port", listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    if (!isBackroomError(error, "E_PORT_IN_USE")) throw error;
    throw new BackroomError("E_PORT_IN_USE", `the port of the setting ${key} is in use`, {
      cause: error,
      fix: `choose another one with: backroom config set ${key} PORT; 0 takes one that is free`,
    });
  }
}
