import type { Problem } from "@backroom/api/schemas/daemon.ts";
import { BackroomError, isBackroomError, type ErrorCode } from "@backroom/core/base/errors.ts";

export const PROBLEM_TYPE = "application/problem+json";

/** Which status an error has, where its exit status alone does not say. */
const STATUS_OF_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  E_REQUEST: 400,
  E_ACCESS: 401,
  E_SCOPE: 403,
  E_DOOR: 403,
  E_CONTENT_URL: 403,
  E_NOT_FOUND: 404,
  E_NO_TRANSFER: 404,
  E_NO_UPLOAD: 404,
  E_NO_FILE: 404,
  E_NO_WATCH: 404,
  E_SAME_SHARE: 409,
  E_TARGET_EXISTS: 409,
  E_LOCKED: 409,
  E_NO_NETWORK: 409,
  E_TOO_LARGE: 413,
  E_GUESSING: 429,
  E_BUSY: 503,
  E_DISK_FULL: 507,
};

/** By exit status (docs/ERRORS.md): a fault, the request, what was given, the network, this computer, damaged data, stopped in the middle. */
const STATUS_OF_EXIT: Readonly<Record<number, number>> = {
  1: 500,
  2: 400,
  3: 422,
  4: 503,
  5: 500,
  6: 502,
  7: 500,
  130: 503,
};

/** What is wrong with an input, on the way to a problem. */
export class InputError extends BackroomError {
  readonly issues: NonNullable<Problem["issues"]>;

  constructor(what: string, issues: NonNullable<Problem["issues"]>) {
    super("E_REQUEST", what, { why: issues.map(({ path, message }) => `${path}: ${message}`).join("; ") });
    this.issues = issues;
  }
}

function statusOf(error: BackroomError): number {
  return STATUS_OF_CODE[error.code] ?? STATUS_OF_EXIT[error.exit] ?? 500;
}

/** An error as RFC 9457 has it. Of one that is not ours nothing is said, for nobody knows what stands in its text. */
export function problemOf(error: unknown): Problem {
  const known = isBackroomError(error)
    ? error
    : new BackroomError("E_INTERNAL", "the daemon met a fault of its own");
  return {
    type: `urn:backroom:error:${known.code}`,
    title: known.message,
    status: statusOf(known),
    code: known.code,
    detail: known.why,
    fix: known.fix,
    exit: known.exit,
    retry: known.retry,
    ...(known instanceof InputError ? { issues: known.issues } : {}),
  };
}
