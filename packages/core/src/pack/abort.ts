import { BackroomError } from "../base/errors.ts";

/** Raises E_INTERRUPTED once the person or the program has called it off. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new BackroomError("E_INTERRUPTED", "the work was called off");
}
