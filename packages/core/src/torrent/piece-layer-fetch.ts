import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { equalBytes } from "../crypto/hash.ts";
import type { TorrentInfo } from "./info.ts";
import { foldLayer, HASH_BYTES, hashPair, layerOf, layersAbove } from "./merkle.ts";
import { piecesHeight, uncleCount } from "./piece-tree.ts";
import type { HashesMessage, HashRange } from "./peer-wire.ts";

/**
 * The requests that together give the piece layer of a pack, in rising order of index; none for a pack of one piece, whose piece layer is
 * its root. Each asks for proof up to the root, so each answer can be checked by itself and come from another peer.
 */
export function pieceLayerRequests(info: TorrentInfo): HashRange[] {
  const height = piecesHeight(info);
  if (height === 0) return [];
  const most = LIMITS.hashesPerRequest;
  const requests: HashRange[] = [];
  for (let index = 0; index < info.pieceCount; index += most) {
    // Never 1: BEP 52 asks for at least two. The second is filling then, which every peer can compute.
    const length = Math.max(2, Math.min(most, 2 ** layersAbove(info.pieceCount - index)));
    const baseLayer = layerOf(info.pieceLength);
    requests.push({ root: info.root, baseLayer, index, length, proofLayers: height - 1 });
  }
  return requests;
}

/** Collects the piece layer from `hashes` messages, each checked against the root before any of it is kept. */
export class PieceLayerFetch {
  readonly #info: TorrentInfo;
  readonly #requests: ReadonlyMap<number, HashRange>;
  readonly #missing: Set<number>;
  readonly #layer: Buffer;

  constructor(info: TorrentInfo) {
    this.#info = info;
    this.#requests = new Map(pieceLayerRequests(info).map((request) => [request.index, request]));
    this.#missing = new Set(this.#requests.keys());
    this.#layer = Buffer.alloc(info.pieceCount * HASH_BYTES);
    if (info.pieceCount === 1) this.#layer.set(info.root);
  }

  /** Requests without an answer yet. The caller spreads them over peers and asks again after a reject or a lost peer. */
  missing(): HashRange[] {
    return [...this.#missing].map((index) => this.#requests.get(index) as HashRange);
  }

  /** The whole piece layer, once nothing is missing. */
  get layer(): Buffer | undefined {
    return this.#missing.size === 0 ? this.#layer : undefined;
  }

  /**
   * Takes an answer. A range that was answered before is passed over. Raises E_WIRE for one that nobody here asks for, and E_HASH
   * for hashes that do not lead to the root: the peer that sent either is to be dropped.
   */
  accept(message: HashesMessage): void {
    const request = this.#requests.get(message.index);
    if (request === undefined || !sameRange(request, message)) {
      throw new BackroomError("E_WIRE", "hashes came that were not asked for");
    }
    if (!this.#missing.has(message.index)) return;
    if (!leadsToRoot(this.#info, message)) {
      throw new BackroomError("E_HASH", "hashes do not lead to the pieces root");
    }
    // The last range may reach past the last piece; the copy ends with the layer.
    message.hashes.copy(this.#layer, message.index * HASH_BYTES, 0, message.length * HASH_BYTES);
    this.#missing.delete(message.index);
  }
}

/** True when an answer is the answer to this request: a peer repeats the request's fields. */
function sameRange(a: HashRange, b: HashRange): boolean {
  return (
    a.baseLayer === b.baseLayer &&
    a.index === b.index &&
    a.length === b.length &&
    a.proofLayers === b.proofLayers &&
    a.root.equals(b.root)
  );
}

/** Folds the range, then takes one uncle a layer, left or right as the index says, up to the root. */
function leadsToRoot(info: TorrentInfo, message: HashesMessage): boolean {
  const { hashes, index, length } = message;
  const ownBytes = length * HASH_BYTES;
  if (hashes.length !== ownBytes + uncleCount(message) * HASH_BYTES) return false;
  const height = layersAbove(length);
  let node = foldLayer(hashes.subarray(0, ownBytes), message.baseLayer, height);
  let position = index >>> height;
  for (let at = ownBytes; at < hashes.length; at += HASH_BYTES) {
    const uncle = hashes.subarray(at, at + HASH_BYTES);
    node = position % 2 === 0 ? hashPair(node, uncle) : hashPair(uncle, node);
    position >>>= 1;
  }
  return equalBytes(node, info.root);
}
