import { closeSync, writeSync } from "node:fs";
import { BackroomError, ERROR_TABLE, isBackroomError, type ErrorCode } from "@backroom/core/base/errors.ts";

/**
 * What a daemon in the background tells whoever started it, as one line of JSON on a descriptor that only this is for: that it listens, or why it does not.
 * The end of the descriptor without a line says that it ended by itself.
 */
export type ReadyLine = { readonly warnings: readonly string[] } | Failed;

interface Failed {
  readonly code: ErrorCode;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

/** Says it once and closes the descriptor. Whoever waited may be gone, which is no fault. */
export function sayReady(descriptor: number, line: ReadyLine): void {
  try {
    writeSync(descriptor, `${JSON.stringify(line)}\n`);
    closeSync(descriptor);
  } catch {
    // Nobody listens any more.
  }
}

export function failureOf(thrown: unknown): Failed {
  const error = isBackroomError(thrown)
    ? thrown
    : new BackroomError("E_INTERNAL", "the daemon met a fault of its own");
  return { code: error.code, what: error.message, why: error.why, fix: error.fix };
}

/** What a daemon that listens warns of. Raises what one said that does not, and E_DAEMON where it said nothing. */
export function warningsOf(text: string): readonly string[] {
  const line = parsed(text);
  if (line === undefined) {
    throw new BackroomError("E_DAEMON", "the daemon ended before it was ready", {
      why: "its log may say why",
      fix: "see its last lines: backroom daemon logs; or run it here: backroom daemon run",
    });
  }
  if ("warnings" in line) return line.warnings;
  throw new BackroomError(line.code, line.what, { why: line.why, fix: line.fix });
}

function parsed(text: string): ReadyLine | undefined {
  try {
    const line = JSON.parse(text) as ReadyLine;
    return "warnings" in line || Object.hasOwn(ERROR_TABLE, line.code) ? line : undefined;
  } catch {
    return undefined;
  }
}
