import { BackroomError } from "@backroom/core/base/errors.ts";
import { API_PREFIX, PLACES } from "../places.ts";
import type { RouteName } from "../routes.ts";
import type { SentBytes, TransportRequest } from "./transport.ts";

/** Where JSON goes into the body; elsewhere what is not part of the path goes into the query. */
const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** What goes on the wire for one call. `bytes` is the body of an operation that takes bytes, whose other input then goes into the query. */
export function requestFor(
  name: RouteName,
  input: Readonly<Record<string, unknown>>,
  bytes: SentBytes | undefined,
  signal: AbortSignal | undefined,
): TransportRequest {
  const { method, path } = PLACES[name];
  const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
  const place = path.replace(/\{(\w+)\}/g, (_, key: string) => {
    const value = rest.get(key);
    rest.delete(key);
    // Whoever resolves addresses would take dots for folders, and ask for something else.
    if (typeof value !== "string" || /^\.*$/.test(value)) {
      throw new BackroomError("E_REQUEST", `${key} is missing, or cannot stand in an address`);
    }
    return encodeURIComponent(value);
  });
  const headers: Record<string, string> = { accept: "application/json, application/problem+json" };
  if (bytes !== undefined || !WITH_BODY.has(method)) {
    const query = new URLSearchParams();
    for (const [key, value] of rest) query.append(key, String(value));
    const target = API_PREFIX + place + (query.size === 0 ? "" : `?${query.toString()}`);
    if (bytes !== undefined) headers["content-type"] = "application/octet-stream";
    return { method, target, headers, body: bytes, signal };
  }
  headers["content-type"] = "application/json";
  const body = JSON.stringify(Object.fromEntries(rest));
  return { method, target: API_PREFIX + place, headers, body, signal };
}
