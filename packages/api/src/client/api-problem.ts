import { BackroomError, ERROR_TABLE, type ErrorCode } from "@backroom/core/base/errors.ts";
import type { Problem } from "../schemas/daemon.ts";

/** An error that the daemon answered with: what it is worth there it is worth here, also where a newer daemon has codes that this client does not know. */
export class ApiProblem extends BackroomError {
  readonly status: number;
  /** Where the input is wrong. */
  readonly issues: NonNullable<Problem["issues"]>;
  readonly #exit: number;
  readonly #retry: Problem["retry"];

  constructor(problem: Problem) {
    super(problem.code as ErrorCode, problem.title, { why: problem.detail, fix: problem.fix });
    this.name = "ApiProblem";
    this.status = problem.status;
    this.issues = problem.issues ?? [];
    this.#exit = problem.exit;
    this.#retry = problem.retry;
  }

  override get exit(): number {
    return this.#exit;
  }

  override get retry(): Problem["retry"] {
    return this.#retry;
  }
}

/** The error of an answer that is none of the expected; `text` is its body. */
export function problemOf(status: number, contentType: string, text: string): BackroomError {
  const problem = contentType === "application/problem+json" ? parsed(text) : undefined;
  if (problem !== undefined) return new ApiProblem(problem);
  return new BackroomError("E_DAEMON", `the daemon answered with status ${status}, and without saying why`);
}

/** By hand, since this file is loaded by every command. */
function parsed(text: string): Problem | undefined {
  try {
    const given = JSON.parse(text) as Problem;
    const texts = [given.title, given.detail, given.fix, given.code];
    const fits =
      texts.every((one) => typeof one === "string") &&
      Number.isInteger(given.exit) &&
      Number.isInteger(given.status) &&
      Object.values(ERROR_TABLE).some(({ retry }) => retry === given.retry);
    return fits ? given : undefined;
  } catch {
    return undefined;
  }
}
