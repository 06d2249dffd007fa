import { Bitfield } from "../torrent/bitfield.ts";

/** What the picker knows of one peer. Made and changed by the picker alone. */
export class PickerPeer {
  /** What the peer has; undefined stands for everything. */
  pieces: Bitfield | undefined;
  /** Wanted pieces that it has and we lack: it is worth our interest while this is above 0. */
  usefulCount = 0;
  /** Those of them that nobody was asked for yet. Spares a search that would find nothing. */
  freshCount = 0;
  /** Blocks it was asked for and has neither sent nor refused: piece → blocks. */
  readonly asked = new Map<number, Set<number>>();
  /** Pieces of which it refused a block: not asked again of it until it says that it has them. */
  readonly refused = new Set<number>();

  constructor(pieceCount: number) {
    this.pieces = new Bitfield(pieceCount);
  }

  get complete(): boolean {
    return this.pieces === undefined || this.pieces.complete;
  }

  has(piece: number): boolean {
    return this.pieces === undefined || this.pieces.has(piece);
  }

  noteAsked(piece: number, blocks: readonly number[]): void {
    if (blocks.length === 0) return;
    let set = this.asked.get(piece);
    if (set === undefined) this.asked.set(piece, (set = new Set()));
    for (const block of blocks) set.add(block);
  }

  /** Returns false when the block was not asked of this peer. */
  forgetAsked(piece: number, block: number): boolean {
    const set = this.asked.get(piece);
    if (set === undefined || !set.delete(block)) return false;
    if (set.size === 0) this.asked.delete(piece);
    return true;
  }
}
