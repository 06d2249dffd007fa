import { encodeBencode } from "../base/bencode.ts";
import { HASH_BYTES } from "./merkle.ts";
import type { TorrentInfo } from "./info.ts";

/**
 * A `.torrent` file (BEP 52) with which any BitTorrent v2 program can check, or serve, a pack that lies on its disk:
 *
 * ```
 * { "info": infoBytes, "piece layers": { root: piece layer } or {} for a pack of one piece }
 * ```
 *
 * It names no tracker. It is for one's own use: handing it to a program that announces it undoes the anonymity.
 */
export function encodeTorrentFile(info: TorrentInfo, pieceLayer: Buffer): Buffer {
  const layers: Record<string, Buffer> =
    pieceLayer.length > HASH_BYTES ? { [info.root.toString("latin1")]: pieceLayer } : {};
  return Buffer.concat([
    Buffer.from("d4:info"),
    info.infoBytes,
    Buffer.from("12:piece layers"),
    encodeBencode(layers),
    Buffer.from("e"),
  ]);
}
