/**
 * Memory for pieces under way, used again: memory fresh from the system costs a page fault every 4 KiB, which is more than copying.
 * What is kept for later is bounded; how much is in use is bounded by the picker.
 */
export class PieceMemory {
  readonly #pieceLength: number;
  readonly #most: number;
  readonly #free: Buffer[] = [];

  /** Keeps at most `keptBytes`, and at least one piece. */
  constructor(pieceLength: number, keptBytes: number) {
    this.#pieceLength = pieceLength;
    this.#most = Math.max(1, Math.floor(keptBytes / pieceLength));
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#pieceLength);
  }

  /** Nobody reads or writes `memory` any more. */
  giveBack(memory: Buffer): void {
    if (this.#free.length < this.#most) this.#free.push(memory);
  }

  clear(): void {
    this.#free.length = 0;
  }
}
