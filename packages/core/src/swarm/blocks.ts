import { BackroomError } from "../base/errors.ts";
import { pieceBytes, type TorrentInfo } from "../torrent/info.ts";
import { LEAF_BYTES } from "../torrent/merkle.ts";
import type { BlockRange } from "../torrent/peer-wire.ts";
import type { Block } from "./picker.ts";

/** Blocks are the leaves of the Merkle tree, so each can be hashed as it comes. */
export function blocksIn(info: TorrentInfo, piece: number): number {
  return Math.ceil(pieceBytes(info, piece) / LEAF_BYTES);
}

export function rangeOf(info: TorrentInfo, { piece, block }: Block): BlockRange {
  const begin = block * LEAF_BYTES;
  return { piece, begin, length: Math.min(LEAF_BYTES, pieceBytes(info, piece) - begin) };
}

/** True for a range that lies within its piece and is no longer than a block. */
export function isServable(info: TorrentInfo, { piece, begin, length }: BlockRange): boolean {
  if (piece >= info.pieceCount || length === 0 || length > LEAF_BYTES) return false;
  return begin + length <= pieceBytes(info, piece);
}

/** Raises E_WIRE for a piece that there is not. */
export function checkPiece({ pieceCount }: TorrentInfo, piece: number): void {
  if (piece >= pieceCount) throw new BackroomError("E_WIRE", "a peer named a piece that is out of range");
}
