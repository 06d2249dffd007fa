import { setImmediate as nextTurn } from "node:timers/promises";

/** What a connection or a key press does not notice waiting. */
const TURN_MS = 8;

/**
 * Small files are read and written at once: a call that waits for the thread pool costs several times the call itself. But work done at once
 * holds up everything else in the process, so it lets the event loop have a turn in between.
 */
export class EventLoopTurns {
  #startedMs = performance.now();

  /** True when the event loop has waited long enough. */
  get due(): boolean {
    return performance.now() - this.#startedMs > TURN_MS;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#startedMs = performance.now();
  }
}
