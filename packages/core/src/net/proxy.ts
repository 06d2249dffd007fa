import { BackroomError } from "../base/errors.ts";
import { ipBytes, ipText } from "../base/ip-address.ts";
import type { Endpoint } from "./channel.ts";
import type { ProxyCredentials } from "./socks5.ts";

/** A SOCKS 5 proxy for the first hop. */
export interface Proxy extends Endpoint {
  /** Where there are none, made-up ones keep channels apart (Tor: `IsolateSOCKSAuth`). */
  readonly credentials: ProxyCredentials | undefined;
}

const MOST_BYTES = 255;

/**
 * `socks5://[user:password@]address:port`; `socks5h` means the same here, since no name is ever looked up. Raises E_PROXY, without repeating what
 * was given: there may be a password in it.
 */
export function parseProxy(text: string): Proxy {
  const url = URL.parse(text.trim());
  if (url === null) throw invalid("it is no address of a proxy");
  if (url.protocol !== "socks5:" && url.protocol !== "socks5h:") throw invalid("only SOCKS 5 is spoken");
  if (url.pathname.length > 1 || url.search !== "" || url.hash !== "") throw invalid("it has too much in it");
  const ip = ipBytes(url.hostname.replace(/^\[(.*)\]$/, "$1"));
  // Looking a name up would tell a name server of the proxy before the proxy hides anything.
  if (ip === undefined) throw invalid("the proxy is named by something else than an IP address");
  const port = Number(url.port);
  if (url.port === "" || port === 0) throw invalid("it has no port");
  return { host: ipText(ip), port, credentials: credentialsOf(url) };
}

export function formatProxy({ host, port, credentials }: Proxy): string {
  const place = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (credentials === undefined) return `socks5://${place}`;
  const { username, password } = credentials;
  return `socks5://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${place}`;
}

function credentialsOf(url: URL): ProxyCredentials | undefined {
  if (url.username === "" && url.password === "") return undefined;
  const [username, password] = [url.username, url.password].map(decoded) as [string, string];
  for (const value of [username, password]) {
    const { length } = Buffer.from(value);
    if (length < 1 || length > MOST_BYTES)
      throw invalid("a user name or password has no or more than 255 bytes");
  }
  return { username, password };
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw invalid("a user name or password is not written as in a URL");
  }
}

function invalid(why: string): BackroomError {
  return new BackroomError("E_PROXY", "the proxy that was given cannot be used", {
    why,
    fix: "write socks5://address:port, such as socks5://127.0.0.1:9050 for Tor on this computer",
  });
}
