import { BackroomError } from "@backroom/core/base/errors.ts";
import { ipBytes } from "@backroom/core/base/ip-address.ts";
import type { Settings } from "../settings/settings.ts";
import type { DoorRules } from "./door.ts";

/** Where the page and the content are to be served, and under which names. */
export interface PagePlan {
  readonly host: string;
  readonly port: number;
  readonly contentPort: number;
  /** Files, PEM. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly isBehindProxy: boolean;
  /** As the person gave them: `name` or `name:port`. */
  readonly names: readonly string[];
}

/**
 * From the settings. Raises E_SETTING for a page that would be served beyond this computer without names, or in the clear: whoever listens on the way
 * would have the token.
 */
export function planPage(settings: Pick<Settings, "get">): PagePlan | undefined {
  if (!settings.get("page.enabled")) return undefined;
  const certFile = settings.get("page.tls-cert");
  const keyFile = settings.get("page.tls-key");
  const names = settings.get("page.hosts").toLowerCase().split(",");
  const plan: PagePlan = {
    host: settings.get("page.host"),
    port: settings.get("page.port"),
    contentPort: settings.get("content.port"),
    tls: certFile === null || keyFile === null ? undefined : { certFile, keyFile },
    isBehindProxy: settings.get("page.behind-proxy"),
    names: names.map((name) => name.trim()).filter((name) => name !== ""),
  };
  if ((certFile === null) !== (keyFile === null)) {
    throw refused("page.tls-cert and page.tls-key go together", "set both, or neither");
  }
  if (isLoopback(plan.host)) return plan;
  if (plan.names.length === 0) {
    throw refused(
      "the page is not served beyond this computer without page.hosts",
      "name the hosts under which browsers may ask for it: backroom config set page.hosts NAME",
    );
  }
  if (plan.tls === undefined && !plan.isBehindProxy) {
    throw refused(
      "the page is not served beyond this computer in the clear",
      "set page.tls-cert and page.tls-key, or page.behind-proxy where a web server of yours does TLS",
    );
  }
  if (plan.contentPort === 0) {
    throw refused(
      "the content of shares needs a port of its own that is known outside",
      "set one that is open, or that your web server hands on: backroom config set content.port PORT",
    );
  }
  return plan;
}

/** Hosts of the page once it listens, with their origins; the first is the one that people are told. */
export function pageHosts(plan: PagePlan, port: number): DoorRules["hosts"] {
  const hosts = ownHosts(plan, port);
  for (const name of plan.names) {
    const host = plan.isBehindProxy || hasPort(name) ? name : `${name}${portSuffix(plan, port)}`;
    hosts.set(host, `${schemeOf(plan)}://${host}`);
  }
  return hosts;
}

/** The same names at the port of content. */
export function contentHosts(plan: PagePlan, port: number): DoorRules["hosts"] {
  const hosts = ownHosts(plan, port);
  for (const name of plan.names) {
    const host = `${name.replace(/:\d+$/, "")}:${port}`;
    hosts.set(host, `${schemeOf(plan)}://${host}`);
  }
  return hosts;
}

/** The content's origin for a page that was asked for under `pageHost`: the same name, so that both are one site. */
export function contentOriginFor(plan: PagePlan, pageHost: string | null, port: number): string {
  const hosts = contentHosts(plan, port);
  const [first = ""] = [...hosts.keys()];
  const host = `${(pageHost ?? first).replace(/:\d+$/, "")}:${port}`;
  return hosts.get(host) ?? hosts.get(first) ?? "";
}

/** Without a name, by number; a wildcard is nobody's address. */
function ownHosts(plan: PagePlan, port: number): Map<string, string> {
  const hosts = new Map<string, string>();
  const scheme = plan.tls === undefined ? "http" : "https";
  const own = isWildcard(plan.host) ? [] : [plan.host.includes(":") ? `[${plan.host}]` : plan.host];
  for (const name of isLoopback(plan.host) ? [...own, "localhost"] : own) {
    hosts.set(`${name}:${port}`, `${scheme}://${name}:${port}`);
  }
  return hosts;
}

function schemeOf(plan: PagePlan): "http" | "https" {
  return plan.tls !== undefined || plan.isBehindProxy ? "https" : "http";
}

/** Browsers leave out the port that goes without saying. */
function portSuffix(plan: PagePlan, port: number): string {
  return port === (schemeOf(plan) === "https" ? 443 : 80) ? "" : `:${port}`;
}

function hasPort(name: string): boolean {
  return /:\d+$/.test(name);
}

function isLoopback(host: string): boolean {
  const bytes = ipBytes(host);
  if (bytes?.length === 4) return bytes[0] === 127;
  return bytes?.equals(Buffer.from([...Array<number>(15).fill(0), 1])) ?? false;
}

function isWildcard(host: string): boolean {
  return ipBytes(host)?.every((byte) => byte === 0) ?? false;
}

function refused(what: string, fix: string): BackroomError {
  return new BackroomError("E_SETTING", what, {
    why: "whoever reaches the page with its token rules the daemon, and whoever listens on the way reads the token",
    fix,
  });
}
