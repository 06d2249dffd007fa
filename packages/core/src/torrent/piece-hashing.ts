import { foldLayer, leafHashes } from "./merkle.ts";

/** The tree over one piece. */
export interface PieceHashes {
  /** 32 bytes a block of 16 KiB. */
  readonly leaves: Buffer;
  /** What they lead to. */
  readonly root: Buffer;
}

/** `height` layers lie above the leaves, filled up. */
export function hashPiece(bytes: Buffer, height: number): PieceHashes {
  const leaves = leafHashes(bytes);
  return { leaves, root: foldLayer(leaves, 0, height) };
}

/**
 * Hashes pieces elsewhere, where that is worth it. Obligations:
 * - While `isReady` is false, whoever has bytes to hash does so itself and says by `hashedHere` how many they were: much in a short time makes it ready.
 * - `hash` gives what `hashPiece` gives and never rejects, also when it is not ready any more. The bytes lie in shared memory, and are neither changed nor kept;
 *   nobody else changes them until the promise is fulfilled.
 */
export interface PieceHasher {
  readonly isReady: boolean;
  hashedHere(bytes: number): void;
  hash(bytes: Buffer, height: number): Promise<PieceHashes>;
}
