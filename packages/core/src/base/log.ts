/**
 * Logging as if the file will be stolen: an event is a fixed text and counts. There is no way to pass a string
 * that came from outside, so no link, key, path or address can get in. `E_…` codes go in as `code`.
 */
import type { ErrorCode } from "./errors.ts";

export type LogLevel = "debug" | "info" | "warn";
export interface LogFields {
  readonly code?: ErrorCode;
  readonly [count: `${string}Count` | `${string}Ms` | `${string}Bytes`]: number;
}

export interface Log {
  (level: LogLevel, event: string, fields?: LogFields): void;
}

export const silentLog: Log = () => {};
