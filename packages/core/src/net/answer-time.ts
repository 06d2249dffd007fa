import { LIMITS } from "../base/limits.ts";

/** An answer that takes three times as long as those before it is not on its way. */
const MARGIN = 3;
/** What the longest round trip and the best rate are worth after each further sample: a line changes. */
const FADE = 0.9;
/** 1 Mbit/s: what is under way counts as if it went at this rate at least, until more is measured. */
const LEAST_BYTES_PER_MS = 128;

/**
 * How long the answer to a PING may take on this channel, from those that came. Where the PING waits behind much that this side sends, say with a
 * line's queue full, the answer takes as long as that takes to leave.
 */
export class AnswerTime {
  #roundTripMs = Number.POSITIVE_INFINITY;
  #bytesPerMs = LEAST_BYTES_PER_MS;
  /** When the last PING that was answered went out. */
  #askedMs: number | undefined;

  /**
   * An answer came now, to a PING of `askedMs`, before which `bytes` had been sent since the one before. An answer that other frames came before
   * may have waited behind them at the other end, and its own time is less than it seems.
   */
  answered(
    nowMs: number,
    {
      askedMs,
      bytes,
      isFirst,
    }: { readonly askedMs: number; readonly bytes: number; readonly isFirst: boolean },
  ): void {
    const roundTripMs = nowMs - askedMs;
    const known = this.#roundTripMs;
    if (!isFirst || known === Number.POSITIVE_INFINITY) this.#roundTripMs = Math.min(roundTripMs, known);
    else this.#roundTripMs = Math.max(roundTripMs, known * FADE);
    // From the first PING to the second answer the line carried at least what was sent between the PINGs.
    if (this.#askedMs !== undefined && nowMs > this.#askedMs) {
      const bytesPerMs = bytes / (nowMs - this.#askedMs);
      this.#bytesPerMs = Math.max(LEAST_BYTES_PER_MS, bytesPerMs, this.#bytesPerMs * FADE);
    }
    this.#askedMs = askedMs;
  }

  /** What the line carries in that time, at the rate that is known. */
  bytesIn(ms: number): number {
    return this.#bytesPerMs * ms;
  }

  /** Milliseconds that the next byte may take after a PING before which `bytes` had been sent since the last one that was answered. */
  patienceMs(bytes: number): number {
    if (this.#roundTripMs === Number.POSITIVE_INFINITY) return LIMITS.channelPongMs;
    const answerMs = Math.max(LIMITS.channelQuickPongMs, MARGIN * this.#roundTripMs);
    // What was sent while nobody asked has had that time to leave.
    const queueMs = Math.max(0, bytes / this.#bytesPerMs - LIMITS.channelQuickPingMs);
    return Math.min(LIMITS.channelPongMs, answerMs) + Math.min(LIMITS.channelPingMs, queueMs);
  }
}
