import { BackroomError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { MapRequest } from "./nat-pmp.ts";

/** What the process is told, once. */
export interface MappingJob extends MapRequest {
  /** PCP's, in hex: a mapping is given up by whoever knows the one that it was asked for with. */
  readonly nonce: string;
  /** Only for tests: instead of the gateways that the system names, and the port where they are asked. */
  readonly gateways?: readonly string[];
  readonly pmpPort?: number;
}

/** A port of the router's that leads here; undefined where there is none. */
export interface PortMapping {
  readonly port: number;
  readonly lifetimeMs: number;
}

/** What the process says when it is done. Raises E_DECODE for anything else: it reads what strangers in the local network say. */
export function decodeMapping(message: unknown): PortMapping | undefined {
  if (typeof message !== "object" || message === null) throw malformed();
  const { port, lifetimeS } = message as { readonly port?: unknown; readonly lifetimeS?: unknown };
  if (!isCount(port, 65_535) || !isCount(lifetimeS, 0xffff_ffff)) throw malformed();
  if (port === 0) return undefined;
  const mostMs = LIMITS.portMappingMostMs;
  return { port, lifetimeMs: Math.min(mostMs, Math.max(lifetimeS * 1000, LIMITS.portMappingLeastMs)) };
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
}

function malformed(): BackroomError {
  return new BackroomError("E_DECODE", "the process that asks the router says something else than a mapping");
}
