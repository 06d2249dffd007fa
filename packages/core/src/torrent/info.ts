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
