import { untilAborted } from "@backroom/core/base/abort.ts";

/** Work that several wait for: it goes on while anybody does, and is called off with the last one who goes away before it is done. Begins at once. */
export class SharedWork<T> {
  readonly #stop = new AbortController();
  readonly #result: Promise<T>;
  #isDone = false;
  #waitingCount = 0;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#result = work(this.#stop.signal).finally(() => {
      this.#isDone = true;
    });
    // Whoever waited may have gone away by then.
    this.#result.catch(() => {});
  }

  /** Whoever comes now would wait for nothing. What came of it all the same is there. */
  get isCalledOff(): boolean {
    return this.#stop.signal.aborted && !this.#isDone;
  }

  /** Raises what the work raises, and E_INTERRUPTED once `signal` is aborted. */
  async join(signal: AbortSignal): Promise<T> {
    this.#waitingCount++;
    try {
      return await untilAborted(this.#result, signal);
    } finally {
      this.#waitingCount--;
      if (this.#waitingCount === 0 && !this.#isDone) this.#stop.abort();
    }
  }
}
