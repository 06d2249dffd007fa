import { BackroomError } from "../base/errors.ts";
import { sha256 } from "../crypto/hash.ts";
import {
  fillerHash,
  foldLayer,
  HASH_BYTES,
  hashPair,
  layerOf,
  layersAbove,
  LEAF_BYTES,
  pieceLayerRoot,
} from "./merkle.ts";
import { pieceLengthFor } from "./piece-length.ts";

/** What a pack's bytes say of it: enough for `torrentInfo`, for verifying pieces and for seeding. */
export interface MerkleDigest {
  readonly root: Buffer;
  readonly length: number;
  /** One 32-byte hash a piece. */
  readonly pieceLayer: Buffer;
}

/**
 * Hashes a pack while it is written, though the piece length depends on a length that is known only at the end: the hashes kept
 * are those of the piece layer that the bytes so far would have, and as piece lengths only rise, they fold into the next one.
 * So memory is that of the final piece layer: 32 bytes a piece.
 */
export class MerkleHasher {
  readonly #pieceLengthFor: (length: number) => number;
  #length = 0;
  /** Bytes of the leaf that is not full yet; only ever copied to when a leaf straddles two updates. */
  readonly #leaf = Buffer.allocUnsafe(LEAF_BYTES);
  #leafFilled = 0;
  /** Subtrees of the piece that is not full yet: at index i one of layer i, or none, as in a binary counter. */
  #pending: (Buffer | undefined)[] = [];
  #pieceLayer = new HashList();
  #pieceLength: number;

  /** Another table than the protocol's is for tests: it reaches the steps of the table with short inputs. */
  constructor(table: (length: number) => number = pieceLengthFor) {
    this.#pieceLengthFor = table;
    this.#pieceLength = table(1);
  }

  /** `bytes` of any length; they are read before this returns and not kept. */
  update(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#leafFilled === 0 && bytes.length - offset >= LEAF_BYTES) {
        this.#addLeaf(bytes.subarray(offset, offset + LEAF_BYTES));
        offset += LEAF_BYTES;
        continue;
      }
      const take = Math.min(LEAF_BYTES - this.#leafFilled, bytes.length - offset);
      this.#leaf.set(bytes.subarray(offset, offset + take), this.#leafFilled);
      this.#leafFilled += take;
      offset += take;
      if (this.#leafFilled === LEAF_BYTES) this.#addLeaf(this.#leaf);
    }
  }

  /** Ends the hashing. Raises E_INTERNAL when there were no bytes: a pack is never empty. */
  digest(): MerkleDigest {
    if (this.#leafFilled > 0) this.#addLeaf(this.#leaf.subarray(0, this.#leafFilled));
    if (this.#length === 0) throw new BackroomError("E_INTERNAL", "a pack without bytes was hashed");
    if (this.#length <= this.#pieceLength) {
      // A pack of one piece: its tree is only as tall as its own leaves ask for (BEP 52).
      const root =
        this.#pieceLayer.count === 1
          ? this.#pieceLayer.bytes()
          : this.#fold(layersAbove(Math.ceil(this.#length / LEAF_BYTES)));
      return { root, length: this.#length, pieceLayer: root };
    }
    if (this.#pending.some((node) => node !== undefined)) {
      this.#pieceLayer.push(this.#fold(layerOf(this.#pieceLength)));
      this.#pending = [];
    }
    const pieceLayer = this.#pieceLayer.bytes();
    return { root: pieceLayerRoot(pieceLayer, this.#pieceLength), length: this.#length, pieceLayer };
  }

  #addLeaf(leaf: Uint8Array): void {
    this.#length += leaf.length;
    this.#leafFilled = 0;
    this.#growPieces();
    const top = layerOf(this.#pieceLength);
    let node = sha256(leaf);
    for (let layer = 0; layer < top; layer++) {
      const left = this.#pending[layer];
      if (left === undefined) {
        this.#pending[layer] = node;
        return;
      }
      node = hashPair(left, node);
      this.#pending[layer] = undefined;
    }
    this.#pieceLayer.push(node);
  }

  /** Steps of the table are multiples of the next piece length, so the pieces so far fold without a rest. */
  #growPieces(): void {
    const longer = this.#pieceLengthFor(this.#length);
    if (longer === this.#pieceLength) return;
    const from = layerOf(this.#pieceLength);
    const folded = foldLayer(this.#pieceLayer.bytes(), from, layerOf(longer) - from);
    this.#pieceLayer = new HashList(folded);
    this.#pieceLength = longer;
  }

  /** The root of a subtree of `height` layers whose only leaves are the pending ones, filled up. */
  #fold(height: number): Buffer {
    let node: Buffer | undefined;
    for (let layer = 0; layer < height; layer++) {
      const left = this.#pending[layer];
      if (left !== undefined) node = hashPair(left, node ?? fillerHash(layer));
      else if (node !== undefined) node = hashPair(node, fillerHash(layer));
    }
    return node ?? (this.#pending[height] as Buffer);
  }
}

/** Hashes one after the other in memory that doubles. */
class HashList {
  #memory: Buffer;
  #used: number;

  constructor(hashes: Buffer = Buffer.alloc(0)) {
    this.#memory = hashes;
    this.#used = hashes.length;
  }

  get count(): number {
    return this.#used / HASH_BYTES;
  }

  push(hash: Buffer): void {
    if (this.#used === this.#memory.length) {
      const memory = Buffer.allocUnsafeSlow(Math.max(1024, 2 * this.#memory.length));
      this.#memory.copy(memory, 0, 0, this.#used);
      this.#memory = memory;
    }
    this.#memory.set(hash, this.#used);
    this.#used += HASH_BYTES;
  }

  /** A copy. */
  bytes(): Buffer {
    return Buffer.from(this.#memory.subarray(0, this.#used));
  }
}
