/** How fast a counter of bytes rises, smoothed over a few seconds so that people can read it. */
export class RateMeter {
  #bytes = 0;
  #atMs: number | undefined;
  #rate = 0;

  /** Bytes a second. */
  get rate(): number {
    return this.#rate;
  }

  /** `bytes` is the count at `nowMs`; called twice a second or so. */
  sample(bytes: number, nowMs: number): void {
    if (this.#atMs !== undefined && nowMs > this.#atMs) {
      const elapsedMs = nowMs - this.#atMs;
      const now = ((bytes - this.#bytes) / elapsedMs) * 1000;
      const weight = 1 - Math.exp(-elapsedMs / 2000);
      this.#rate += weight * (now - this.#rate);
    }
    this.#bytes = bytes;
    this.#atMs = nowMs;
  }
}
