import { equalBytes, sha256 } from "../crypto/hash.ts";
import { pieceBytes, type TorrentInfo } from "../torrent/info.ts";
import { foldLayer, HASH_BYTES, layerOf, layersAbove, LEAF_BYTES } from "../torrent/merkle.ts";
import { blocksIn } from "./blocks.ts";

/**
 * The blocks of one piece as they come, each hashed at once (blocks are the leaves of the tree), so that a whole piece costs no burst of
 * hashing. `Sender` is whoever blocks are laid to the charge of.
 */
export class PieceAssembly<Sender> {
  readonly bytes: Buffer;
  /** One hash a block. */
  readonly leaves: Buffer;
  readonly senders: Sender[] = [];
  readonly #info: TorrentInfo;

  constructor(info: TorrentInfo, piece: number) {
    this.#info = info;
    this.bytes = Buffer.allocUnsafeSlow(pieceBytes(info, piece));
    this.leaves = Buffer.allocUnsafe(blocksIn(info, piece) * HASH_BYTES);
  }

  add(block: number, bytes: Buffer, sender: Sender): void {
    this.bytes.set(bytes, block * LEAF_BYTES);
    this.leaves.set(sha256(bytes), block * HASH_BYTES);
    this.senders[block] = sender;
  }

  /** True when all blocks are here and lead to `expected`, the piece's hash in a piece layer that was checked. */
  verify(expected: Uint8Array): boolean {
    const height =
      this.#info.pieceCount === 1
        ? layersAbove(this.leaves.length / HASH_BYTES)
        : layerOf(this.#info.pieceLength);
    return equalBytes(foldLayer(this.leaves, 0, height), expected);
  }

  /** Those who sent blocks that differ from `right`, another assembly's leaves of the same piece. */
  sendersOfWrongBlocks(right: Buffer): Set<Sender> {
    const wrong = new Set<Sender>();
    for (const [block, sender] of this.senders.entries()) {
      const from = block * HASH_BYTES;
      if (right.compare(this.leaves, from, from + HASH_BYTES, from, from + HASH_BYTES) !== 0)
        wrong.add(sender);
    }
    return wrong;
  }
}
