import type { Clock } from "../base/clock.ts";
import type { CreditSection, CreditShare } from "./credit-pool.ts";

/** What windows need of where they are. */
export interface CreditDeps {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** What they share with others. */
  readonly section: CreditSection;
}

export interface WindowShape {
  /** What the sender may send unasked. */
  readonly first: number;
  /** What it rises to once it is used, while half of the pool is free: windows that are emptied within one turn of an event loop cost more for each frame. */
  readonly used: number;
  /** What a sender keeps when too much waits here in all: 2 or more. */
  readonly least: number;
  /** The most that it is ever granted ahead. */
  readonly most: number;
  /** What is granted in one go at least, unless there is something else to say anyway. */
  readonly batch: number;
}

/**
 * The window as a multiple of what is released in a round trip: one is on its way, one makes up for a frame that comes a round trip late
 * with all others behind it, and one waits here, by which the window grows. Less than 2.5 does not fill a path on which a frame in a hundred is late.
 */
const GAIN = 3;
/** The rate of release is taken over a round trip, and over this time at least: shorter ones show bursts. */
const LEAST_SPAN_MS = 50;
/** How long a measured rate counts, in two buckets. */
const RATE_BUCKET_MS = 4_000;
/** Beyond this an apparent round trip is a sender that had nothing to send. */
const MOST_ROUND_TRIP_MS = 3_000;

/**
 * The receiver's side of a window that counts frames: how many came, were released, and may still come (PROTOCOL 6.3). It grows to three times
 * what is released in a round trip, so that it rises until the path is full and then stays; a little it rises on any path. The round trip is the shortest time from a grant to the first frame that needed it.
 */
export class CreditWindow {
  readonly #shape: WindowShape;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #share: CreditShare;
  /** Frames since the start. */
  #granted: number;
  #arrived = 0;
  #released = 0;
  /** The window as it should be. */
  #size: number;
  /** A grant whose round trip is being measured: frames beyond `#probe` needed it. */
  #probe = Number.POSITIVE_INFINITY;
  #probeMs = 0;
  #roundTripMs = Number.POSITIVE_INFINITY;
  #spanFrom = 0;
  #spanMs: number;
  #rate = 0;
  #previousRate = 0;
  #bucketMs: number;

  constructor(shape: WindowShape, deps: CreditDeps) {
    this.#shape = shape;
    this.#clock = deps.clock;
    this.#share = deps.section.share();
    this.#granted = this.#size = shape.first;
    this.#spanMs = this.#bucketMs = deps.clock.monotonicMs();
  }

  /** Frames that the sender may have under way or that are held here: what the window costs at most. */
  get outstanding(): number {
    return this.#granted - this.#released;
  }

  /** Frames that came and were not released. */
  get held(): number {
    return this.#arrived - this.#released;
  }

  /** A frame came. False when it was not granted. */
  take(): boolean {
    if (this.#arrived === this.#granted) return false;
    this.#arrived++;
    if (this.#arrived > this.#probe) this.#measureRoundTrip();
    return true;
  }

  /** Frames that came hold no memory any more. */
  release(frames: number): void {
    this.#released += frames;
  }

  /** Whether there is enough to grant to say so for its own sake. */
  get due(): boolean {
    const batch = Math.max(this.#shape.batch, this.#size >>> 2);
    return this.#owed >= Math.min(batch, this.#size >>> 1);
  }

  /** What the sender is granted now, 0 or more: the caller tells it. */
  grant(): number {
    if (this.#owed <= 0) return 0;
    const nowMs = this.#clock.monotonicMs();
    this.#measureRate(nowMs);
    this.#resize(nowMs);
    const before = this.#granted;
    this.#granted += Math.max(0, this.#owed);
    this.#share.hold(Math.max(0, this.outstanding - this.#shape.first), nowMs);
    if (this.#probe === Number.POSITIVE_INFINITY && this.#granted > before) {
      this.#probe = before;
      this.#probeMs = nowMs;
    }
    return this.#granted - before;
  }

  /** Nothing more is granted: gives back what this window holds of the pool. */
  close(): void {
    this.#share.hold(0, this.#share.usedMs);
  }

  get #owed(): number {
    return this.#size - this.outstanding;
  }

  #measureRoundTrip(): void {
    const elapsedMs = this.#clock.monotonicMs() - this.#probeMs;
    this.#probe = Number.POSITIVE_INFINITY;
    if (elapsedMs < MOST_ROUND_TRIP_MS) this.#roundTripMs = Math.min(this.#roundTripMs, elapsedMs);
  }

  #measureRate(nowMs: number): void {
    const spanMs = nowMs - this.#spanMs;
    const roundTripMs = this.#roundTripMs === Number.POSITIVE_INFINITY ? 0 : this.#roundTripMs;
    if (spanMs < Math.max(LEAST_SPAN_MS, roundTripMs)) return;
    if (nowMs - this.#bucketMs >= RATE_BUCKET_MS) {
      // Two buckets late: what the older one says is too old as well.
      this.#previousRate = nowMs - this.#bucketMs < 2 * RATE_BUCKET_MS ? this.#rate : 0;
      this.#rate = 0;
      this.#bucketMs = nowMs;
    }
    this.#rate = Math.max(this.#rate, (this.#released - this.#spanFrom) / spanMs);
    this.#spanFrom = this.#released;
    this.#spanMs = nowMs;
  }

  #resize(nowMs: number): void {
    const { first, least } = this.#shape;
    const more = Math.min(this.#wanted - first, this.#share.ceiling(nowMs));
    const { crowding } = this.#share;
    const size = least + Math.ceil((1 - crowding) * (first + Math.max(0, more) - least));
    // Shrunk windows rise a frame at a time: all at once would only crowd this place again.
    const slowly = crowding > 0 || this.#size < first;
    this.#size = slowly ? Math.min(size, this.#size + 1) : size;
  }

  /** What the path takes, as far as it is known. */
  get #wanted(): number {
    const { first, used, most } = this.#shape;
    if (this.#roundTripMs === Number.POSITIVE_INFINITY) return first;
    const rate = Math.max(this.#rate, this.#previousRate);
    return Math.min(
      most,
      Math.max(this.#share.isRoomy ? used : first, Math.ceil(GAIN * rate * this.#roundTripMs)),
    );
  }
}
