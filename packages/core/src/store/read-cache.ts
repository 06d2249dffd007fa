/**
 * The windows of a pack that were read last. Peers ask for the blocks of a piece one after the other, so one read of the file
 * serves sixteen requests. Bounded by `windows` of `windowBytes` each.
 */
export class ReadCache {
  readonly windowBytes: number;
  readonly #windows: number;
  readonly #load: (offset: number) => Promise<Buffer>;
  /** In the order of last use. */
  readonly #held = new Map<number, Promise<Buffer>>();

  /** `load` gives the window that starts at `offset`, shorter where the pack ends. */
  constructor(windowBytes: number, windows: number, load: (offset: number) => Promise<Buffer>) {
    this.windowBytes = windowBytes;
    this.#windows = windows;
    this.#load = load;
  }

  /** True when reading at `offset` costs no load. */
  holds(offset: number): boolean {
    return this.#held.has(offset - (offset % this.windowBytes));
  }

  /** The window that covers `offset`; a load that is under way is joined. */
  window(offset: number): Promise<Buffer> {
    const start = offset - (offset % this.windowBytes);
    const held = this.#held.get(start) ?? this.#fetch(start);
    this.#held.delete(start);
    this.#held.set(start, held);
    const oldest = this.#held.keys().next();
    if (this.#held.size > this.#windows && oldest.done === false) this.#held.delete(oldest.value);
    return held;
  }

  /** Forgets what overlaps the range: its bytes have changed. */
  drop(offset: number, length: number): void {
    const first = offset - (offset % this.windowBytes);
    for (let start = first; start < offset + length; start += this.windowBytes) this.#held.delete(start);
  }

  #fetch(start: number): Promise<Buffer> {
    const loading = this.#load(start);
    loading.catch(() => {
      if (this.#held.get(start) === loading) this.#held.delete(start);
    });
    return loading;
  }
}
