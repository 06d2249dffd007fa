/** For how long something must look the same before it counts as whole: copies over networks pause. */
export const SETTLE_MS = 5_000;
/** Shares that one folder makes in an hour at most: a program gone wild, or a folder that was unpacked into it, fills no disk overnight. */
export const SHARES_PER_HOUR = 100;
const HOUR_MS = 3_600_000;

/** What is in a watched folder, by name, with what each looks like: anything that is another text when size or time of anything in it is. */
export type FolderLook = ReadonlyMap<string, string>;

export interface Landed {
  readonly name: string;
  readonly seen: string;
}

export interface Outcome {
  /** To be shared now, in the order in which they landed. Each has to be answered with `shared`, or comes again with the next look. */
  readonly share: readonly Landed[];
  /** Something may be whole soon: the next look should not be far. */
  readonly isSettling: boolean;
  /** Things that are whole and wait because there were too many within the hour. */
  readonly heldBack: number;
}

/**
 * What to share of a folder's looks. Something is shared once it looked the same at two looks at least SETTLE_MS apart and at all between, and
 * again when it looks otherwise than when it was shared. What goes away is remembered, so that a disk that comes back shares nothing twice.
 */
export class WatchLogic {
  /** What each name looked like when it was shared, or when the watch began. */
  readonly #done: Map<string, string>;
  readonly #settling = new Map<string, { readonly seen: string; readonly sinceMs: number }>();
  /** When there were shares within the last hour, oldest first. */
  #sharedMs: number[] = [];

  constructor(done: Iterable<readonly [name: string, seen: string]>) {
    this.#done = new Map(done);
  }

  /** `nowMs` is monotonic. */
  look(nowMs: number, found: FolderLook): Outcome {
    for (const name of this.#settling.keys()) if (!found.has(name)) this.#settling.delete(name);
    const whole: Landed[] = [];
    for (const [name, seen] of found) {
      if (this.#done.get(name) === seen) this.#settling.delete(name);
      else if (this.#isWhole(nowMs, { name, seen })) whole.push({ name, seen });
    }
    this.#sharedMs = this.#sharedMs.filter((atMs) => nowMs - atMs < HOUR_MS);
    const room = SHARES_PER_HOUR - this.#sharedMs.length;
    const inOrder = whole.sort((a, b) => this.#sinceMs(a) - this.#sinceMs(b));
    return {
      share: inOrder.slice(0, room),
      isSettling: this.#settling.size > whole.length,
      heldBack: Math.max(0, whole.length - room),
    };
  }

  /** It was shared, or need not be. */
  shared({ name, seen }: Landed, nowMs: number): void {
    this.#done.set(name, seen);
    this.#settling.delete(name);
    this.#sharedMs.push(nowMs);
  }

  #isWhole(nowMs: number, { name, seen }: Landed): boolean {
    const before = this.#settling.get(name);
    if (before?.seen === seen) return nowMs - before.sinceMs >= SETTLE_MS;
    // Set anew, so that what landed last stands last.
    this.#settling.delete(name);
    this.#settling.set(name, { seen, sinceMs: nowMs });
    return false;
  }

  #sinceMs({ name }: Landed): number {
    return this.#settling.get(name)?.sinceMs ?? 0;
  }
}
