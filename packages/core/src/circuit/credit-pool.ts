/** Reserved frames that were not asked for again for this long count as free: their sender is idle. */
const IDLE_MS = 10_000;

/**
 * What all credits and windows of one process may hold beyond the frames that everybody starts with (PROTOCOL 6.3). Nobody holds more than
 * what is left free, a section (a channel, or the streams of a circuit) no more than twice that, and nobody in it more than is left of that.
 * So whoever is alone gets half, `n` who want all get an equal part each, and one part stays free for the next to come. What was granted cannot be taken back, only not granted
 * again: when a newcomer takes its part, the others shrink as their frames arrive.
 */
export class CreditPool {
  readonly #frames: number;
  readonly #holders = new Set<CreditShare>();
  readonly #crowding: () => number;
  #reserved = 0;
  #sweptMs = 0;

  /** `crowding` says how full of waiting frames the process is: from 0, where windows are what they should be, to 1, where each is as small as it may be. */
  constructor(frames: number, crowding: () => number = () => 0) {
    this.#frames = frames;
    this.#crowding = crowding;
  }

  get crowding(): number {
    return this.#crowding();
  }

  /** Below 0 when idle senders woke up together: nobody grows then. */
  get free(): number {
    return this.#frames - this.#reserved;
  }

  get isRoomy(): boolean {
    return 2 * this.#reserved < this.#frames;
  }

  section(): CreditSection {
    return new CreditSection(this);
  }

  // --- for shares ---

  move(share: CreditShare, by: number): void {
    this.#reserved += by;
    if (share.held > 0) this.#holders.add(share);
    else this.#holders.delete(share);
  }

  /** Frees what idle senders hold. It can still come, all at once: then the pool is overdrawn until they have sent it. */
  sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < IDLE_MS) return;
    this.#sweptMs = nowMs;
    for (const share of this.#holders) if (nowMs - share.usedMs >= IDLE_MS) share.hold(0, share.usedMs);
  }
}

/** Windows that together are held to twice what is free. */
export class CreditSection {
  readonly pool: CreditPool;
  held = 0;

  constructor(pool: CreditPool) {
    this.pool = pool;
  }

  share(): CreditShare {
    return new CreditShare(this);
  }
}

/** What one window holds of the pool, in frames. */
export class CreditShare {
  readonly #section: CreditSection;
  held = 0;
  usedMs = 0;

  constructor(section: CreditSection) {
    this.#section = section;
  }

  get crowding(): number {
    return this.#section.pool.crowding;
  }

  /** Whether there is so much left that it may go to who would use it, not only to who needs it. */
  get isRoomy(): boolean {
    return this.#section.pool.isRoomy;
  }

  /** The most that this share may hold now, once it holds it. */
  ceiling(nowMs: number): number {
    const { pool, held: together } = this.#section;
    pool.sweep(nowMs);
    const single = (pool.free + this.held) / 2;
    const shared = (2 * pool.free + 3 * this.held - together) / 4;
    return Math.max(0, Math.floor(Math.min(single, shared)));
  }

  /** States what is held: what was granted before counts, whatever the ceiling is now. */
  hold(frames: number, nowMs: number): void {
    const by = frames - this.held;
    this.usedMs = nowMs;
    if (by === 0) return;
    this.held = frames;
    this.#section.held += by;
    this.#section.pool.move(this, by);
  }
}
