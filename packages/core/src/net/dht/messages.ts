import { BackroomError } from "../../base/errors.ts";
import { ipBytes } from "../../base/ip-address.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Endpoint } from "../channel.ts";

/**
 * What the node and its DHT process say to each other, as JSON over the pipe between them. Hashes are 40 hex digits. The process reads strangers'
 * packets, so the node takes what it says as it takes a stranger's word.
 */
export type ToChild =
  | {
      readonly kind: "start";
      readonly port: number;
      readonly host: string;
      /** 0 announces the UDP port. */
      readonly announcePort: number;
      readonly testNetwork: boolean;
      readonly contacts: readonly Endpoint[];
    }
  | { readonly kind: "lookup" | "announce"; readonly job: number; readonly hash: string }
  | { readonly kind: "contacts"; readonly contacts: readonly Endpoint[] };

export type FromChild =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "refused"; readonly inUse: boolean }
  /** The end of a job: the endpoints that a lookup found, or how many nodes took an announcement. */
  | {
      readonly kind: "done";
      readonly job: number;
      readonly found: readonly Endpoint[];
      readonly takenCount: number;
    };

/** Raises E_DECODE for anything that is no FromChild. */
export function decodeFromChild(message: unknown): FromChild {
  const fields = fieldsOf(message);
  const { kind } = fields;
  if (kind === "listening") return { kind, port: integer(fields["port"], 65_535) };
  if (kind === "refused") return { kind, inUse: fields["inUse"] === true };
  if (kind !== "done") throw malformed();
  const { found } = fields;
  if (!Array.isArray(found) || found.length > LIMITS.dhtResults) throw malformed();
  return {
    kind,
    job: integer(fields["job"], Number.MAX_SAFE_INTEGER),
    found: found.map(endpoint),
    takenCount: integer(fields["takenCount"], 1_000),
  };
}

function endpoint(value: unknown): Endpoint {
  const { host, port } = fieldsOf(value);
  if (typeof host !== "string" || ipBytes(host)?.length !== 4) throw malformed();
  return { host, port: integer(port, 65_535) };
}

function fieldsOf(value: unknown): { readonly [key: string]: unknown } {
  if (typeof value !== "object" || value === null) throw malformed();
  return value as { readonly [key: string]: unknown };
}

function integer(value: unknown, most: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > most)
    throw malformed();
  return value;
}

function malformed(): BackroomError {
  return new BackroomError("E_DECODE", "the DHT process said something that it never says");
}
