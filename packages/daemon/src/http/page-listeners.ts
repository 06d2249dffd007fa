import { readFile } from "node:fs/promises";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import type { DoorRules } from "./door.ts";
import type { ListenerOptions } from "./listener.ts";
import { contentHosts, pageHosts, type PagePlan } from "./page-plan.ts";
import { listenForPage, type PagePortDeps } from "./page-port.ts";
import { contentHeaders, pageHeaders } from "./security-headers.ts";

/** Where the page and the content of shares are served by now: what both doors, and the headers of each, go by. */
export class PagePlaces {
  hosts: DoorRules["hosts"] = new Map();
  contentHosts: DoorRules["hosts"] = new Map();
  /** 0 while there is none. */
  contentPort = 0;

  /** The address that people are told; null while no page is served. */
  get page(): string | null {
    return originsOf(this.hosts).map((origin) => `${origin}/`)[0] ?? null;
  }
}

export interface PageListenersDeps extends PagePortDeps {
  readonly places: PagePlaces;
  readonly api: ListenerOptions["app"];
  readonly content: ListenerOptions["app"];
  /** Gives the port. Raises as `listenHttp`. */
  readonly listen: (options: ListenerOptions) => Promise<number>;
}

/**
 * Listens for the page, and at a port of its own for content, and notes in `places` where. Gives what somebody should know of it. Raises E_PORT_IN_USE,
 * E_LISTEN, and E_SETTING for a certificate that cannot be used.
 */
export async function listenPage(plan: PagePlan, deps: PageListenersDeps): Promise<string[]> {
  const { places, listen } = deps;
  const tls = await readTls(plan);
  places.contentPort = await portOf("content.port", () =>
    listen({
      at: { host: plan.host, port: plan.contentPort },
      tls,
      rules: () => ({ hosts: places.contentHosts, serves: "content" }),
      headers: () => contentHeaders(originsOf(places.hosts)),
      app: deps.content,
    }),
  );
  places.contentHosts = contentHosts(plan, places.contentPort);
  const listenAt = (port: number): Promise<number> =>
    listen({
      at: { host: plan.host, port },
      tls,
      rules: () => ({ hosts: places.hosts, serves: "page" }),
      headers: () => pageHeaders(originsOf(places.contentHosts)),
      app: deps.api,
    });
  const { port, isSubstitute } = await portOf("page.port", () => listenForPage(deps, listenAt));
  places.hosts = pageHosts(plan, port);
  return isSubstitute ? [substituteSentence(plan.port, places.page ?? "")] : [];
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
