import { equalBytes, sha256 } from "../crypto/hash.ts";
import { pieceBytes, type TorrentInfo } from "../torrent/info.ts";
import { foldLayer, HASH_BYTES, layerOf, layersAbove, LEAF_BYTES } from "../torrent/merkle.ts";
import type { Charge } from "./blame.ts";
import { blocksIn } from "./blocks.ts";

/**
 * The blocks of one piece as they come, each hashed at once (blocks are the leaves of the tree), so that a whole piece costs no burst of
 * hashing. `Sender` is whoever blocks are laid to the charge of.
 */
export class PieceAssembly<Sender> {
  readonly bytes: Buffer;
  readonly memory: Buffer;
  readonly #leaves: Buffer;
  readonly #senders: Sender[] = [];
  readonly #info: TorrentInfo;

  /** `memory` holds a whole piece length and is used until the piece is stored or given up. */
  constructor(info: TorrentInfo, piece: number, memory: Buffer) {
    this.#info = info;
    this.memory = memory;
    this.bytes = memory.subarray(0, pieceBytes(info, piece));
    this.#leaves = Buffer.allocUnsafe(blocksIn(info, piece) * HASH_BYTES);
  }

  get charge(): Charge<Sender> {
    return { leaves: this.#leaves, senders: this.#senders };
  }

  add(block: number, bytes: Buffer, sender: Sender): void {
    this.bytes.set(bytes, block * LEAF_BYTES);
    this.#leaves.set(sha256(bytes), block * HASH_BYTES);
    this.#senders[block] = sender;
  }

  /** True when all blocks are here and lead to `expected`, the piece's hash in a piece layer that was checked. */
  verify(expected: Uint8Array): boolean {
    const height =
      this.#info.pieceCount === 1
        ? layersAbove(this.#leaves.length / HASH_BYTES)
        : layerOf(this.#info.pieceLength);
    return equalBytes(foldLayer(this.#leaves, 0, height), expected);
  }
}
