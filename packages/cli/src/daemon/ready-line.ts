import { closeSync, writeSync } from "node:fs";
import { BackroomError, ERROR_TABLE, isBackroomError, type ErrorCode } from "@backroom/core/base/errors.ts";

/**
 * What a daemon in the background tells whoever started it, as one line of JSON on a descriptor that only this is for: that it listens, or why it does not.
 * The end of the descriptor without a line says that it ended by itself.
 */
type ReadyLine =
  | { readonly ready: true }
  | { readonly code: ErrorCode; readonly what: string; readonly why: string; readonly fix: string };

/** Says it once and closes the descriptor. Whoever waited may be gone, which is no fault. */
export function sayReady(descriptor: number, failure?: unknown): void {
  try {
    writeSync(descriptor, `${JSON.stringify(lineOf(failure))}\n`);
    closeSync(descriptor);
  } catch {
    // Nobody listens any more.
  }
}

function lineOf(failure: unknown): ReadyLine {
  if (failure === undefined) return { ready: true };
  const error = isBackroomError(failure)
    ? failure
    : new BackroomError("E_INTERNAL", "the daemon met a fault of its own");
  const { code, message: what, why, fix } = error;
  return { code, what, why, fix };
}

/** Raises what the daemon said, or E_DAEMON where it said nothing. */
export function assertReady(text: string): void {
  const line = parsed(text);
  if (line === undefined) {
    throw new BackroomError("E_DAEMON", "the daemon ended before it was ready", {
      why: "its log may say why",
      fix: "see its last lines: backroom daemon logs; or run it here: backroom daemon run",
    });
  }
  if ("ready" in line) return;
  throw new BackroomError(line.code, line.what, { why: line.why, fix: line.fix });
}

function parsed(text: string): ReadyLine | undefined {
  try {
    const line = JSON.parse(text) as ReadyLine;
    return "ready" in line || Object.hasOwn(ERROR_TABLE, line.code) ? line : undefined;
  } catch {
    return undefined;
  }
}
