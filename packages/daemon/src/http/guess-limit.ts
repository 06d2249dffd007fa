import type { Clock } from "@backroom/core/base/clock.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { ipBytes, isMapped } from "@backroom/core/base/ip-address.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";

/**
 * Makes whoever sends wrong tokens wait, longer each time. Nobody guesses 256 random bits; this keeps the attempt from being work. What it remembers is
 * bounded, and time alone forgives: a token that is right in between does not.
 */
export class GuessLimit {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #sources = new Map<string, { wrongCount: number; untilMs: number }>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Raises E_GUESSING while the address has to wait. */
  check(address: string): void {
    const found = this.#sources.get(sourceOf(address));
    if (found === undefined || this.#clock.monotonicMs() >= found.untilMs) return;
    throw new BackroomError("E_GUESSING", "too many wrong tokens came from this address");
  }

  wrong(address: string): void {
    const source = sourceOf(address);
    const nowMs = this.#clock.monotonicMs();
    const before = this.#sources.get(source);
    // Calm for as long as the longest wait: begins anew.
    const isCalm = before === undefined || nowMs - before.untilMs > LIMITS.guessWaitMostMs;
    const wrongCount = isCalm ? 1 : before.wrongCount + 1;
    const doublings = wrongCount - LIMITS.guessBurst;
    const waitMs = doublings < 0 ? 0 : Math.min(LIMITS.guessWaitMs * 2 ** doublings, LIMITS.guessWaitMostMs);
    this.#sources.delete(source);
    this.#sources.set(source, { wrongCount, untilMs: nowMs + waitMs });
    if (this.#sources.size > LIMITS.guessSources) {
      for (const oldest of this.#sources.keys()) {
        this.#sources.delete(oldest);
        break;
      }
    }
  }
}

/** An IPv4 address, or the /64 that one home is given. */
function sourceOf(address: string): string {
  const bytes = ipBytes(address);
  if (bytes === undefined) return "";
  if (bytes.length === 4) return bytes.toString("hex");
  return isMapped(bytes) ? bytes.toString("hex", 12) : bytes.toString("hex", 0, 8);
}
