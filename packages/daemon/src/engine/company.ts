/** Peers come and go: one that was away for less has not been missed, and each time would push out older notes. */
const MISSED_MS = 5 * 60_000;

/** Says when a download has found somebody, and when it has been without anybody for so long that it is worth telling. */
export class Company {
  #isFound = false;
  #aloneSinceMs: number | undefined;

  look(hasPeers: boolean, nowMs: number): "found" | "alone" | undefined {
    if (hasPeers) {
      this.#aloneSinceMs = undefined;
      if (this.#isFound) return undefined;
      this.#isFound = true;
      return "found";
    }
    this.#aloneSinceMs ??= nowMs;
    if (!this.#isFound || nowMs - this.#aloneSinceMs < MISSED_MS) return undefined;
    this.#isFound = false;
    return "alone";
  }
}
