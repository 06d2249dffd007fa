import type { TorrentInfo } from "../torrent/info.ts";

/**
 * Where a pack's pieces are kept. Implementations: a file with a bitmap (for real), memory (tests). Both run
 * `test/store/piece-store-suite.ts`. Obligations:
 * - `write` takes a whole piece that the caller has verified; once its promise is fulfilled, `have` says so, and a kill -9 at any moment
 *   leaves a store that reopens with no piece marked that is not there (a piece written but not yet marked may be lost). It raises
 *   E_INTERNAL before the piece layer is known and for bytes of the wrong length. A piece that is there already is passed over.
 * - The bytes given to `write` are the store's to read until its promise is settled; after that they belong to the caller again.
 * - `read` gives bytes of pieces that are there, and raises E_INTERNAL for others. What it gives may be shared: it is not to be changed.
 *   It lies in `into` where that is given and of use, memory of `length` that belongs to the caller again once the read has succeeded. A piece that turns out to be damaged on disk raises E_HASH; `have` says false from then on, so that it can be fetched again.
 * - `setPieceLayer` raises E_HASH for one that does not lead to the root. For a pack of one piece it is known from the start: the root.
 * - Concurrent reads and writes are fine. After `close` everything that returns a promise raises E_INTERNAL, `close` aside.
 * - A full disk raises E_DISK_FULL, any other failure E_STORE; nothing already there is harmed.
 */
export interface PieceStore {
  readonly info: TorrentInfo;
  readonly complete: boolean;
  have(piece: number): boolean;
  haveCount(): number;
  read(offset: number, length: number, into?: Buffer): Promise<Buffer>;
  write(piece: number, bytes: Buffer): Promise<void>;
  /** The piece layer (32-byte hashes, one a piece), once known and checked against the root; kept with the store. */
  pieceLayer(): Buffer | undefined;
  setPieceLayer(layer: Buffer): Promise<void>;
  close(): Promise<void>;
}
