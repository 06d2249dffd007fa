import { HASH_BYTES } from "../torrent/merkle.ts";

/** Who sent which block of one attempt at a piece, and the hashes of what they sent. */
export interface Charge<Sender> {
  /** 32 bytes a block. */
  readonly leaves: Buffer;
  readonly senders: readonly Sender[];
}

/**
 * Finds out who sent wrong blocks. When a bad piece came from one peer it was that one. When it came from several, what each sent is kept as
 * hashes until the piece has come whole and right from a single peer (the picker sees to that); then the hashes that differ tell.
 */
export class Blame<Sender> {
  readonly #suspects = new Map<number, Charge<Sender>>();
  readonly #onLiar: (sender: Sender) => void;

  constructor(onLiar: (sender: Sender) => void) {
    this.#onLiar = onLiar;
  }

  bad(piece: number, charge: Charge<Sender>): void {
    const senders = new Set(charge.senders);
    if (senders.size > 1) this.#suspects.set(piece, charge);
    else for (const sender of senders) this.#onLiar(sender);
  }

  good(piece: number, right: Charge<Sender>): void {
    const suspect = this.#suspects.get(piece);
    if (suspect === undefined) return;
    this.#suspects.delete(piece);
    const liars = new Set<Sender>();
    for (const [block, sender] of suspect.senders.entries()) {
      const from = block * HASH_BYTES;
      const differs = right.leaves.compare(suspect.leaves, from, from + HASH_BYTES, from, from + HASH_BYTES);
      if (differs !== 0) liars.add(sender);
    }
    for (const liar of liars) this.#onLiar(liar);
  }
}
