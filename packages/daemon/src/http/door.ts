import { BackroomError } from "@backroom/core/base/errors.ts";

/** What a request says of itself before its body; headers as they came, name and value by turns. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
}

/** What one listener lets in. */
export interface DoorRules {
  /** Each value that `Host` may have, with the origin of pages that were loaded from there; null where no page is. */
  readonly hosts: ReadonlyMap<string, string | null>;
  /** `content`: shown by the page, which is the same site at another port; never asked by scripts, never with a token. */
  readonly serves: "page" | "content" | "socket";
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
/** Twice, they are a way to be understood in two ways. */
const ONCE = new Set([
  "host",
  "authorization",
  "content-type",
  "content-length",
  "origin",
  "transfer-encoding",
]);
/** What a visible ASCII target may hold: a backslash is a slash to browsers, and a hash never goes on the wire. */
const TARGET = /^\/[!$-[\]-~]*$/;
const DOTS = /(^|\/)(\.|%2e){1,2}(\/|\?|$)/i;

/**
 * Looks at a request before anything else does: whether it is for us at all, and whether it comes from where one may. Throws E_DOOR or E_REQUEST.
 *
 * Every browser on this computer can be made to ask us by any site that is open in it. What such a request cannot do is name our host (DNS rebinding
 * names the attacker's), hide that another site made it (`Origin`, `Sec-Fetch-Site`), or carry a token.
 */
export function checkDoor(head: RequestHead, rules: DoorRules): void {
  const headers = collected(head.rawHeaders);
  const host = headers.get("host");
  const ownOrigin = host === undefined ? undefined : rules.hosts.get(host);
  if (ownOrigin === undefined) throw shut("the request is for another host");
  if (!METHODS.has(head.method)) throw new BackroomError("E_REQUEST", "the method is none of those in use");
  if (!TARGET.test(head.target) || DOTS.test(head.target)) {
    throw new BackroomError("E_REQUEST", "the request's target is no plain path");
  }
  const origin = headers.get("origin");
  if (origin !== undefined && (origin !== ownOrigin || rules.serves !== "page")) {
    throw shut("another site asks");
  }
  if (!isOwnSite(headers, head, rules.serves)) throw shut("another site asks");
  const isAsset = rules.serves === "page" && !head.target.startsWith("/api/");
  // Browsers send cookies of other programs at this host along when they load the page; whoever asks the API leaves them out.
  if (headers.has("cookie") && !isAsset && rules.serves !== "content")
    throw shut("the request carries a cookie");
  if (headers.has("authorization") && rules.serves === "content") throw shut("no token is taken here");
}

/** `Sec-Fetch-Site` is set by browsers and cannot be set by scripts; programs do not send it. */
function isOwnSite(
  headers: ReadonlyMap<string, string>,
  { method, target }: RequestHead,
  serves: DoorRules["serves"],
): boolean {
  const site = headers.get("sec-fetch-site");
  if (site === undefined || site === "none") return true;
  if (site === "same-origin") return serves !== "socket";
  if (serves === "content") return site === "same-site";
  // A link to the page in a mail or on a site: opens it in a tab of its own, which tells that site nothing.
  const isOpening =
    headers.get("sec-fetch-mode") === "navigate" && headers.get("sec-fetch-dest") === "document";
  return serves === "page" && isOpening && method === "GET" && target === "/";
}

function collected(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] as string).toLowerCase();
    if (headers.has(name) && ONCE.has(name)) {
      throw new BackroomError("E_REQUEST", `the request has two headers ${name}`);
    }
    headers.set(name, raw[at + 1] as string);
  }
  return headers;
}

function shut(what: string): BackroomError {
  return new BackroomError("E_DOOR", what);
}
