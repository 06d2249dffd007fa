import { BackroomError } from "../base/errors.ts";
import { equalBytes, sha256 } from "../crypto/hash.ts";
import { pieceBytes, type TorrentInfo } from "./info.ts";

/**
 * The Merkle tree of BEP 52: SHA-256 over leaves of 16 KiB, the last of which may be shorter; the leaf layer is filled up to a
 * power of two with zero hashes. Layer 0 is the leaves. The piece layer is the one with a hash a piece, without the hashes that
 * cover nothing but filling.
 *
 * A pack of one piece has no piece layer in BEP 52; here its piece layer is its root, so that callers see one case.
 */
export const LEAF_BYTES = 16 * 1024;
export const HASH_BYTES = 32;

const FILLERS: Buffer[] = [Buffer.alloc(HASH_BYTES)];

/** The hash of a subtree of `layer` layers that covers nothing but filling. */
export function fillerHash(layer: number): Buffer {
  for (let known = FILLERS.length; known <= layer; known++) {
    const below = FILLERS[known - 1] as Buffer;
    FILLERS.push(hashPair(below, below));
  }
  return FILLERS[layer] as Buffer;
}

export function hashPair(left: Uint8Array, right: Uint8Array): Buffer {
  const pair = Buffer.allocUnsafe(2 * HASH_BYTES);
  pair.set(left, 0);
  pair.set(right, HASH_BYTES);
  return sha256(pair);
}

/** How many layers lie above `count` nodes: 0 for one node. */
export function layersAbove(count: number): number {
  return 32 - Math.clz32(count - 1);
}

/** The layer whose nodes each cover `bytes`, a power of two of at least 16 KiB. */
export function layerOf(bytes: number): number {
  return 31 - Math.clz32(bytes / LEAF_BYTES);
}

/** The layer above: pairs hashed, an odd last one with filling of `layer`. `hashes` are nodes of `layer`, one after the other. */
export function parentLayer(hashes: Buffer, layer: number): Buffer {
  const count = hashes.length / HASH_BYTES;
  const parents = Buffer.allocUnsafe(Math.ceil(count / 2) * HASH_BYTES);
  for (let node = 0; node < count; node += 2) {
    const pair = hashes.subarray(node * HASH_BYTES, (node + 2) * HASH_BYTES);
    const parent = node + 1 < count ? sha256(pair) : hashPair(pair, fillerHash(layer));
    parents.set(parent, (node / 2) * HASH_BYTES);
  }
  return parents;
}

/** The root over nodes of `layer`, filled up to 2^`height` of them. */
export function foldLayer(hashes: Buffer, layer: number, height: number): Buffer {
  let nodes = hashes;
  for (let up = 0; up < height; up++) nodes = parentLayer(nodes, layer + up);
  return nodes;
}

/** The leaf hashes of `bytes`, which begin at the edge of a leaf. */
export function leafHashes(bytes: Buffer): Buffer {
  const leaves = Math.ceil(bytes.length / LEAF_BYTES);
  const layer = Buffer.allocUnsafe(leaves * HASH_BYTES);
  for (let leaf = 0; leaf < leaves; leaf++) {
    layer.set(sha256(bytes.subarray(leaf * LEAF_BYTES, (leaf + 1) * LEAF_BYTES)), leaf * HASH_BYTES);
  }
  return layer;
}

/** True when these are the leaf hashes of the whole piece `piece`. `pieceLayer` has been checked against the root. */
export function verifyLeaves(info: TorrentInfo, pieceLayer: Buffer, piece: number, leaves: Buffer): boolean {
  const count = leaves.length / HASH_BYTES;
  if (count !== Math.ceil(pieceBytes(info, piece) / LEAF_BYTES)) return false;
  const height = info.pieceCount === 1 ? layersAbove(count) : layerOf(info.pieceLength);
  const expected = pieceLayer.subarray(piece * HASH_BYTES, (piece + 1) * HASH_BYTES);
  return equalBytes(foldLayer(leaves, 0, height), expected);
}

/** True when `bytes` are piece `piece`, whole and unharmed. `pieceLayer` has been checked against the root. */
export function verifyPiece(info: TorrentInfo, pieceLayer: Buffer, piece: number, bytes: Buffer): boolean {
  return bytes.length === pieceBytes(info, piece) && verifyLeaves(info, pieceLayer, piece, leafHashes(bytes));
}

/** Raises E_HASH unless `layer` is the piece layer of `info`. */
export function checkPieceLayer(info: TorrentInfo, layer: Buffer): void {
  const complete = layer.length === info.pieceCount * HASH_BYTES;
  if (!complete || !equalBytes(pieceLayerRoot(layer, info.pieceLength), info.root)) {
    throw new BackroomError("E_HASH", "a piece layer does not lead to the pieces root");
  }
}

/** The root above a piece layer; of a single hash that hash, as said above. */
export function pieceLayerRoot(layer: Buffer, pieceLength: number): Buffer {
  return foldLayer(layer, layerOf(pieceLength), layersAbove(layer.length / HASH_BYTES));
}
