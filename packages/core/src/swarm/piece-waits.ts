import type { BackroomError } from "../base/errors.ts";

interface Wait {
  readonly arrival: PromiseWithResolvers<void>;
  count: number;
}

/** Those who wait for pieces, in the order in which they came. */
export class PieceWaits {
  readonly #waits = new Map<number, Wait>();

  pieces(): number[] {
    return [...this.#waits.keys()];
  }

  /** Fulfilled when the piece is there. Whoever stops waiting says so with `leave`. */
  wait(piece: number): Promise<void> {
    let wait = this.#waits.get(piece);
    if (wait === undefined) {
      wait = { arrival: Promise.withResolvers<void>(), count: 0 };
      // Somebody may have stopped listening by the time it is rejected; that is no fault.
      wait.arrival.promise.catch(() => {});
      this.#waits.set(piece, wait);
    }
    wait.count++;
    return wait.arrival.promise;
  }

  /** One who waited does not any more. True when nobody does now. */
  leave(piece: number): boolean {
    const wait = this.#waits.get(piece);
    if (wait === undefined || --wait.count > 0) return false;
    return this.#waits.delete(piece);
  }

  /** True when somebody waited for it. */
  arrived(piece: number): boolean {
    this.#waits.get(piece)?.arrival.resolve();
    return this.#waits.delete(piece);
  }

  failAll(error: BackroomError): void {
    for (const { arrival } of this.#waits.values()) arrival.reject(error);
    this.#waits.clear();
  }
}
