import { Bitfield } from "../torrent/bitfield.ts";
import type { PieceStore } from "./piece-store.ts";

/** The pieces that a store has. */
export function heldPieces(store: Pick<PieceStore, "info" | "have">): Bitfield {
  const bits = new Bitfield(store.info.pieceCount);
  for (let piece = 0; piece < bits.length; piece++) if (store.have(piece)) bits.set(piece);
  return bits;
}

/** The pieces from `first` to `last` that a store does not have. */
export function missingPieces(store: Pick<PieceStore, "have">, first: number, last: number): number[] {
  const missing: number[] = [];
  for (let piece = first; piece <= last; piece++) if (!store.have(piece)) missing.push(piece);
  return missing;
}
