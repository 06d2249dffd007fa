/**
 * Logging as if the file will be stolen. What a log may say is closed by type: an event is a text that stands in the source, a field is a number that
 * names its unit, a fact, an `E_…` code or one of LOG_WORDS. There is no way to pass a string that came from outside, so no link, key, path
 * or address gets in. `node/log-lines.ts` checks the fields once more at run time.
 */
import type { ErrorCode } from "./errors.ts";

export const LOG_LEVELS = ["debug", "info", "warn"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** All the words that a field may hold. */
export const LOG_WORDS = [
  // What a path is for.
  "seeder",
  "downloader",
  "lookup",
  "directory",
  // Why something was not done.
  "busy",
  "full",
  "malformed",
  "not-allowed",
  "refused",
  "unreachable",
] as const;
export type LogWord = (typeof LOG_WORDS)[number];

export interface LogFields {
  readonly code?: ErrorCode;
  readonly role?: LogWord;
  readonly reason?: LogWord;
  readonly [amount: `${string}Count` | `${string}Ms` | `${string}Bytes`]: number;
  readonly [fact: `is${string}`]: boolean;
}

/** An object of which nothing is known. */
type Anything = { readonly [name in never]: true };

/** A text that was written out in the source; `never` for one that was put together, of which nobody knows what is in it. */
export type FixedText<T extends string> = Anything extends Record<T, true> ? never : T;

export interface Log {
  <T extends string>(level: LogLevel, event: T & FixedText<T>, fields?: LogFields): void;
}

export const silentLog: Log = () => {};
