/**
 * Runs jobs side by side, as many as the bounds allow, so that the latency of a disk is shared by many small files.
 * A failure surfaces at the next `add` or `drain`; jobs that had started then run to their end.
 */
export class JobPool {
  readonly #maxJobs: number;
  readonly #maxBytes: number;
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(maxJobs: number, maxBytes: number) {
    this.#maxJobs = maxJobs;
    this.#maxBytes = maxBytes;
  }

  /** Starts `job`, which holds on to `bytes` of memory, once there is room. */
  async add(bytes: number, job: () => Promise<void>): Promise<void> {
    while (
      this.#running.size > 0 &&
      (this.#running.size >= this.#maxJobs || this.#bytes + bytes > this.#maxBytes)
    ) {
      await Promise.race(this.#running);
    }
    this.#raise();
    this.#bytes += bytes;
    const running: Promise<void> = job()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#bytes -= bytes;
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  /** Waits until all jobs have ended. */
  async drain(): Promise<void> {
    await this.settle();
    this.#raise();
  }

  /** As `drain`, but never raises. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #raise(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
