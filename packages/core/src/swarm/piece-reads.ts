import type { BackroomError } from "../base/errors.ts";

/** Somebody who needs pieces, and waits for one after the other. */
export class PieceRead {
  /** All up to this one are needed. */
  readonly last: number;
  /** The one that is waited for now. */
  at: number;
  #arrival: PromiseWithResolvers<void> | undefined;

  constructor(at: number, last: number) {
    this.at = at;
    this.last = last;
  }

  /** Fulfilled when the piece is there; rejected with what the read is failed with. */
  waitFor(piece: number): Promise<void> {
    this.at = piece;
    this.#arrival = Promise.withResolvers<void>();
    return this.#arrival.promise;
  }

  arrived(): void {
    this.#arrival?.resolve();
  }

  fail(error: BackroomError): void {
    this.#arrival?.reject(error);
  }
}

/** Those who read, in the order in which they came. */
export class PieceReads {
  readonly #reads = new Set<PieceRead>();
  /** Who waited last: what follows is likely to be read next. Undefined where nobody has waited yet, and once that read is given up. */
  #latest: PieceRead | undefined;

  add(read: PieceRead): void {
    this.#reads.add(read);
  }

  waitFor(read: PieceRead, piece: number): Promise<void> {
    this.#latest = read;
    return read.waitFor(piece);
  }

  /** All that it needed is there: what comes after that is likely to be read next. */
  end(read: PieceRead): void {
    this.#reads.delete(read);
  }

  /** Nobody waits where it was. */
  giveUp(read: PieceRead): void {
    this.#reads.delete(read);
    if (this.#latest === read) this.#latest = undefined;
  }

  /** What is waited for now, and then what the same reads need after it, up to `ahead` pieces. */
  needed(ahead: number): Set<number> {
    const pieces = new Set([...this.#reads].map(({ at }) => at));
    for (const { at, last } of this.#reads) {
      for (let piece = at + 1; piece <= Math.min(last, at + ahead); piece++) pieces.add(piece);
    }
    return pieces;
  }

  /** Where somebody read last. */
  get position(): number | undefined {
    return this.#latest?.at;
  }

  arrived(piece: number): void {
    for (const read of this.#reads) if (read.at === piece) read.arrived();
  }

  failAll(error: BackroomError): void {
    for (const read of this.#reads) read.fail(error);
    this.#reads.clear();
  }
}
