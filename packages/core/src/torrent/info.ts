import { encodeBencode } from "../base/bencode.ts";
import { asBuffer } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { sha256 } from "../crypto/hash.ts";
import { pieceLengthFor } from "./piece-length.ts";

/** What a root and a length say of a pack as a BitTorrent v2 torrent (PROTOCOL 3). */
export interface TorrentInfo {
  /** 32 bytes. */
  readonly root: Buffer;
  readonly length: number;
  readonly pieceLength: number;
  readonly pieceCount: number;
  readonly name: string;
  /** The bencoded info dictionary. */
  readonly infoBytes: Buffer;
  /** SHA-256 of infoBytes, 32 bytes; the wire uses the first 20. */
  readonly infohash: Buffer;
}

/**
 * The info dictionary of the single-file torrent that a pack is, and what follows from it. `root` is 32 bytes and copied.
 * Raises E_DECODE for a length that no pack has (they come out of links).
 */
export function torrentInfo(root: Uint8Array, length: number): TorrentInfo {
  if (root.length !== 32 || !Number.isInteger(length) || length < 1 || length > LIMITS.packBytes) {
    throw new BackroomError("E_DECODE", "a pieces root or a pack length is impossible");
  }
  const piecesRoot = Buffer.from(asBuffer(root));
  const pieceLength = pieceLengthFor(length);
  const name = `${piecesRoot.toString("hex", 0, 8)}.tar.zst.age`;
  const infoBytes = encodeBencode({
    "file tree": { [name]: { "": { length, "pieces root": piecesRoot } } },
    "meta version": 2,
    name: Buffer.from(name),
    "piece length": pieceLength,
  });
  return {
    root: piecesRoot,
    length,
    pieceLength,
    pieceCount: Math.ceil(length / pieceLength),
    name,
    infoBytes,
    infohash: sha256(infoBytes),
  };
}

/** Bytes in `piece`: the piece length, or less in the last one. `piece` is in range. */
export function pieceBytes(info: Pick<TorrentInfo, "length" | "pieceLength">, piece: number): number {
  return Math.min(info.pieceLength, info.length - piece * info.pieceLength);
}
