import type { BackroomError } from "../base/errors.ts";

/** Those who wait for pieces, in the order in which they came. */
export class PieceWaits {
  readonly #waits = new Map<number, PromiseWithResolvers<void>>();

  pieces(): number[] {
    return [...this.#waits.keys()];
  }

  /** Fulfilled when the piece is there. */
  wait(piece: number): Promise<void> {
    let wait = this.#waits.get(piece);
    if (wait === undefined) {
      wait = Promise.withResolvers<void>();
      // Somebody may have stopped listening by the time it is rejected; that is no fault.
      wait.promise.catch(() => {});
      this.#waits.set(piece, wait);
    }
    return wait.promise;
  }

  /** True when somebody waited for it. */
  arrived(piece: number): boolean {
    this.#waits.get(piece)?.resolve();
    return this.#waits.delete(piece);
  }

  failAll(error: BackroomError): void {
    for (const wait of this.#waits.values()) wait.reject(error);
    this.#waits.clear();
  }
}
