import type { Clock } from "./clock.ts";

const KIB = 1024;
/** What may go at once after a pause: a quarter of a second's worth, so that an event loop that is late loses nothing. */
const BURST_PART = 4;
const BURST_LEAST_BYTES = 64 * KIB;
/**
 * What one share gets at a turn: small, so that many get their turn often, but no less than a block, nor so little that turns cost more than what they
 * move: a second's worth up to what one DATA frame carries, which is sent whole whatever is in it.
 */
const TURN_PART = 16;
const TURN_LEAST_BYTES = 16 * KIB;
const TURN_FRAME_BYTES = 112 * KIB;
const TURN_MOST_BYTES = 256 * KIB;
/** Between looks at who waits: at high rates a turn's worth is there after a moment. */
const LEAST_PAUSE_MS = 10;

/** What may go at once at a rate in bytes a second. In any span of time no more goes than the rate allows, this, one turn and one unit. */
export function burstBytes(rate: number): number {
  return rate === 0 ? 0 : Math.max(BURST_LEAST_BYTES, Math.ceil(rate / BURST_PART));
}

/** What a share gets at a turn, in bytes. */
export function turnBytes(rate: number): number {
  const least = Math.max(TURN_LEAST_BYTES, Math.min(TURN_FRAME_BYTES, rate));
  return Math.min(TURN_MOST_BYTES, Math.max(least, Math.ceil(rate / TURN_PART)));
}

/**
 * A rate in bytes a second that many share: a bucket that fills with time, and takes turns among those who found it empty. What is taken at a turn
 * may overdraw the bucket by one turn and one unit, which whoever comes next waits for; so units of any size pass, at any rate.
 * Shares that always want get the same number of bytes, whatever the size of their units, and what one does not take goes to the others.
 * Without a limit nothing waits and nothing is counted; without anybody who waits there is no timer.
 */
export class RateLimit {
  readonly #clock: Pick<Clock, "monotonicMs" | "after">;
  /** In the order of their turns. */
  readonly #waiting = new Set<RateShare>();
  #rate: number | null = null;
  /** Below 0 where the last turn took more than was there. */
  #bytes = 0;
  #filledMs = 0;
  #cancelTimer: (() => void) | undefined;
  #isServing = false;

  constructor(clock: Pick<Clock, "monotonicMs" | "after">) {
    this.#clock = clock;
  }

  /** Bytes a second; null is no limit, 0 lets nothing through. */
  get rate(): number | null {
    return this.#rate;
  }

  /** Takes hold at once, for those who wait, too. */
  set rate(rate: number | null) {
    if (rate === this.#rate) return;
    this.#fill();
    const hadLimit = this.#rate !== null;
    this.#rate = rate;
    this.#filledMs = this.#clock.monotonicMs();
    if (rate !== null) {
      const burst = burstBytes(rate);
      // What a high rate overdrew would take a low one forever to make up for.
      this.#bytes = hadLimit ? Math.max(-burst, Math.min(burst, this.#bytes)) : burst;
    }
    this.#serve();
  }

  /** `onTurn` is called, synchronously, when `request` has said 0 before and would say more now. It must not throw. */
  share(onTurn: () => void): RateShare {
    return new RateShare(this, onTurn);
  }

  // --- for shares ---

  /** Whether a share that is not at its turn may take one now: nobody else waits, and there is something. */
  get isFree(): boolean {
    if (this.#waiting.size > 0) return false;
    this.#fill();
    return this.#bytes > 0;
  }

  isWaiting(share: RateShare): boolean {
    return this.#waiting.has(share);
  }

  wait(share: RateShare): void {
    this.#waiting.add(share);
    if (!this.#isServing) this.#plan();
  }

  leave(share: RateShare): void {
    this.#waiting.delete(share);
    if (this.#waiting.size === 0) this.#stopTimer();
  }

  spend(bytes: number): void {
    this.#bytes -= bytes;
  }

  #fill(): void {
    if (this.#rate === null) return;
    const nowMs = this.#clock.monotonicMs();
    const earned = ((nowMs - this.#filledMs) / 1000) * this.#rate;
    this.#filledMs = nowMs;
    this.#bytes = Math.min(burstBytes(this.#rate), this.#bytes + earned);
  }

  #serve(): void {
    this.#stopTimer();
    this.#fill();
    this.#isServing = true;
    while (this.#rate === null || this.#bytes > 0) {
      const [share] = this.#waiting;
      if (share === undefined) break;
      this.#waiting.delete(share);
      // A unit that was larger than a turn is made up for by turns that are left out.
      if (!share.takeTurn()) this.#waiting.add(share);
    }
    this.#isServing = false;
    this.#plan();
  }

  #plan(): void {
    if (this.#cancelTimer !== undefined || this.#waiting.size === 0 || !this.#rate) return;
    const shortOf = Math.max(0, 1 - this.#bytes);
    const delayMs = Math.max(LEAST_PAUSE_MS, Math.ceil((shortOf / this.#rate) * 1000));
    this.#cancelTimer = this.#clock.after(delayMs, () => this.#serve());
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}

/** One of those who share a rate. */
export class RateShare {
  readonly #limit: RateLimit;
  readonly #onTurn: () => void;
  /** What it may still take at its turn; below 0 where its last unit was larger than that. */
  #allowance = 0;
  #isAtTurn = false;

  constructor(limit: RateLimit, onTurn: () => void) {
    this.#limit = limit;
    this.#onTurn = onTurn;
  }

  /** Whether it found nothing left and waits for its turn: the limit is what holds it back. */
  get isWaiting(): boolean {
    return this.#limit.isWaiting(this);
  }

  /** Whether there is a limit at all. */
  get isLimited(): boolean {
    return this.#limit.rate !== null;
  }

  /** How many bytes may go now, Infinity without a limit. One unit more than that may be spent. 0: `onTurn` will be called. */
  request(): number {
    const { rate } = this.#limit;
    if (rate === null) return Number.POSITIVE_INFINITY;
    if (!this.#isAtTurn && this.#limit.isFree) this.#allowance = turnBytes(rate);
    else if (!this.#isAtTurn) this.#allowance = Math.min(0, this.#allowance);
    if (this.#allowance > 0) return this.#allowance;
    this.#limit.wait(this);
    return 0;
  }

  /** Says that so much has gone, whether it was asked for or could not wait. */
  spend(bytes: number): void {
    if (this.#limit.rate === null) return;
    // Bounded, or what could not wait would cost so many turns that others had them all for long.
    this.#allowance = Math.max(-TURN_MOST_BYTES, this.#allowance - bytes);
    this.#limit.spend(bytes);
  }

  /** Waits no more. */
  close(): void {
    this.#limit.leave(this);
  }

  /** For the limit. False when this turn has to be left out. */
  takeTurn(): boolean {
    const { rate } = this.#limit;
    if (rate !== null) this.#allowance = Math.min(0, this.#allowance) + turnBytes(rate);
    if (rate !== null && this.#allowance <= 0) return false;
    this.#isAtTurn = true;
    this.#onTurn();
    this.#isAtTurn = false;
    return true;
  }
}
