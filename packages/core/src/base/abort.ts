import { BackroomError } from "./errors.ts";

/** Raises E_INTERRUPTED once the person or the program has called it off. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw calledOff();
}

/** Waits for what may never come only until `signal` is aborted: then raises E_INTERRUPTED, and what becomes of the work is nobody's business. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  work.catch(() => {});
  throwIfAborted(signal);
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(calledOff());
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function calledOff(): BackroomError {
  return new BackroomError("E_INTERRUPTED", "the work was called off");
}

/** Fulfilled once `signal` is aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
