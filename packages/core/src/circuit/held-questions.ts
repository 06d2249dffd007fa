import { LIMITS } from "../base/limits.ts";

interface Holder {
  readonly bytes: number;
  readonly drop: () => void;
}

/**
 * What strangers' questions hold in memory on all streams together, half asked or waiting for an answer. An honest question is whole and
 * answered within moments, so when there is too much, whoever has held some for longest goes.
 */
export class HeldQuestions {
  readonly #mostBytes: number;
  /** In the order in which they began to hold something. */
  readonly #holders = new Map<object, Holder>();
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `stream` holds so many bytes now; `drop` ends it, and runs at most once. */
  set(stream: object, bytes: number, drop: () => void): void {
    this.#bytes += bytes - (this.#holders.get(stream)?.bytes ?? 0);
    if (bytes === 0) this.#holders.delete(stream);
    else this.#holders.set(stream, { bytes, drop });
    while (this.#bytes > this.#mostBytes) {
      const [oldest] = this.#holders;
      if (oldest === undefined) return;
      const [name, holder] = oldest;
      this.#holders.delete(name);
      this.#bytes -= holder.bytes;
      holder.drop();
    }
  }
}

/** One for the process, since it is the process's memory. */
export const heldQuestions = new HeldQuestions(LIMITS.questionsHeldBytes);
