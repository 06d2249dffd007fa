import { BackroomError, isBackroomError, type ErrorCode } from "../base/errors.ts";
import type { AgeBody } from "./age-body.ts";
import type { FileChoice } from "./selection.ts";

/** What a thread that unpacks is given. */
export interface UnpackOrder {
  readonly length: number;
  readonly body: AgeBody;
  readonly folder: string;
  /** Undefined: everything. */
  readonly wanted: { readonly choices: FileChoice[]; readonly opened: FileChoice[] | undefined } | undefined;
}

/** To the thread. `bytes` answers `read` of that number, and is handed over with its memory. */
export type ToUnpacker =
  | { readonly type: "bytes"; readonly read: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "unread"; readonly read: number }
  | { readonly type: "wanted"; readonly choices: FileChoice[] }
  | { readonly type: "stop" };

/** From the thread. `bytes` counts what is unpacked since the last time; after `unpacked` or `failed` comes nothing. */
export type FromUnpacker =
  | { readonly type: "read"; readonly read: number; readonly offset: number; readonly length: number }
  /** Nobody waits for that read any more. */
  | { readonly type: "giveUp"; readonly read: number }
  | { readonly type: "bytes"; readonly bytes: number }
  | { readonly type: "survey"; readonly totalBytes: number; readonly doneBytes: number }
  | {
      readonly type: "unpacked";
      readonly choices: FileChoice[] | undefined;
      readonly leafCount: number | undefined;
    }
  | { readonly type: "failed"; readonly failure: Failure };

/** An error of ours, or the number of the read that failed: whoever answered that knows why. */
export type Failure =
  | { readonly read: number }
  | {
      readonly code: ErrorCode;
      readonly what: string;
      readonly why: string;
      readonly fix: string;
      /** What it was before it was one of ours, as far as it can be told in another thread. */
      readonly cause: Error | undefined;
    };

export function encodeFailure(error: unknown): Exclude<Failure, { read: number }> {
  const known = isBackroomError(error)
    ? error
    : new BackroomError("E_INTERNAL", "a thread that unpacks failed", { cause: error });
  const { code, message, why, fix, cause } = known;
  return { code, what: message, why, fix, cause: cause instanceof Error ? cause : undefined };
}

export function decodeFailure(failure: Exclude<Failure, { read: number }>): BackroomError {
  const { code, what, why, fix, cause } = failure;
  return new BackroomError(code, what, { why, fix, ...(cause === undefined ? {} : { cause }) });
}
