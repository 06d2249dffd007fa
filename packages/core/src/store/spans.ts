import { BackroomError } from "../base/errors.ts";
import { pieceBytes, type TorrentInfo } from "../torrent/info.ts";
import type { BlockRange } from "../torrent/peer-wire.ts";
import type { PieceStore } from "./piece-store.ts";

/** The parts of pieces that make up `length` bytes from `offset` on. Raises E_INTERNAL for a range outside the pack. */
export function spansOf(info: TorrentInfo, offset: number, length: number): BlockRange[] {
  if (offset < 0 || length < 0 || offset + length > info.length) {
    throw new BackroomError("E_INTERNAL", "a range outside the pack was read");
  }
  const spans: BlockRange[] = [];
  for (let at = offset; at < offset + length;) {
    const piece = Math.floor(at / info.pieceLength);
    const begin = at - piece * info.pieceLength;
    const take = Math.min(info.pieceLength - begin, offset + length - at);
    spans.push({ piece, begin, length: take });
    at += take;
  }
  return spans;
}

/** What every store asks of a write. Raises E_INTERNAL. */
export function checkWrite(store: PieceStore, piece: number, bytes: Buffer): void {
  if (store.pieceLayer() === undefined) {
    throw new BackroomError("E_INTERNAL", "a piece was written before the piece layer was known");
  }
  const inRange = Number.isInteger(piece) && piece >= 0 && piece < store.info.pieceCount;
  if (!inRange || bytes.length !== pieceBytes(store.info, piece)) {
    throw new BackroomError("E_INTERNAL", "what was written is not a whole piece");
  }
}
