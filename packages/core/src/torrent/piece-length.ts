/**
 * Piece length by pack length (PROTOCOL 3). Fixed for ever: root and length alone must give everybody the same infohash.
 * A piece is what is verified, passed on and opened at once, so it stays small for as long as the piece layer stays
 * small too; the last row keeps the longest pack within 2^21 pieces, which other clients accept.
 */
const TABLE: readonly { readonly upTo: number; readonly pieceLength: number }[] = [
  { upTo: 2 ** 26, pieceLength: 2 ** 16 },
  { upTo: 2 ** 29, pieceLength: 2 ** 18 },
  { upTo: 2 ** 32, pieceLength: 2 ** 20 },
  { upTo: 2 ** 36, pieceLength: 2 ** 22 },
  { upTo: 2 ** 41, pieceLength: 2 ** 24 },
];
const LONGEST = 2 ** 27;

/** Bytes a piece of a pack of `length` bytes: a power of two that never falls as `length` rises. */
export function pieceLengthFor(length: number): number {
  return TABLE.find((row) => length <= row.upTo)?.pieceLength ?? LONGEST;
}
