/** Time as protocol code sees it: passed in, so that tests and the simulation own it. */
export interface Clock {
  /** Wall clock in milliseconds since 1970. May jump. */
  nowMs(): number;
  /** Monotonic milliseconds, for durations. Never goes back. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels and may be called at any time, also twice. */
  after(delayMs: number, run: () => void): () => void;
}

/** The machine's own clock. Timers do not keep the process alive: what must stay alive holds a socket or a promise. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
