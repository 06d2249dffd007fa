/**
 * Turns of transfers that cost much at a time: at most `most()` have one, the others wait in the order in which they came. One that holds a turn and only
 * waits for somebody else may give way meanwhile.
 */
export class Turns {
  readonly #most: () => number;
  readonly #holders = new Set<Turn>();
  readonly #waiting = new Set<{ readonly turn: Turn; readonly resolve: () => void }>();

  constructor(most: () => number) {
    this.#most = most;
  }

  /** Fulfilled when it is this one's turn, at once where one is free; undefined once `signal` is aborted. `onWait` runs where it has to wait. */
  async take(signal: AbortSignal, onWait: () => void): Promise<Turn | undefined> {
    const turn: Turn = {
      end: () => {
        if (this.#holders.delete(turn)) this.look();
      },
      giveWay: () => turn.end(),
      // More may work than there are turns then, for a while: whoever was found would not wait.
      resume: () => void this.#holders.add(turn),
    };
    if (signal.aborted) return undefined;
    if (this.#holders.size < this.#most() && this.#waiting.size === 0) {
      this.#holders.add(turn);
      return turn;
    }
    const { promise, resolve: fulfil } = Promise.withResolvers<void>();
    const resolve = (): void => fulfil();
    const waiting = { turn, resolve };
    this.#waiting.add(waiting);
    signal.addEventListener("abort", resolve, { once: true });
    onWait();
    await promise;
    signal.removeEventListener("abort", resolve);
    if (this.#waiting.delete(waiting)) return undefined;
    return turn;
  }

  /** There may be more turns now than before. */
  look(): void {
    for (const waiting of this.#waiting) {
      if (this.#holders.size >= this.#most()) return;
      this.#waiting.delete(waiting);
      this.#holders.add(waiting.turn);
      waiting.resolve();
    }
  }
}

export interface Turn {
  end(): void;
  /** Somebody else may have it, as long as this one has nothing to do. */
  giveWay(): void;
  /** It has something to do again. */
  resume(): void;
}
