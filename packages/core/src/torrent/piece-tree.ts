import { LIMITS } from "../base/limits.ts";
import type { TorrentInfo } from "./info.ts";
import { fillerHash, HASH_BYTES, layerOf, layersAbove, parentLayer } from "./merkle.ts";
import type { HashesMessage, HashRange, HashRangeMessage } from "./peer-wire.ts";

/**
 * How a hash range is answered (BEP 52), for `length` = 2^k hashes of layer `b` from `index` on and `p` proof layers:
 *
 * ```
 * the `length` hashes ‖ the uncles in layers b + k … b + p, lowest first: at most one each
 * ```
 *
 * An uncle is the sibling of the node above the range in that layer; with it the next node up can be computed, so that with
 * p = (height of the tree) − b − 1 the last step gives the root. Layers below b + k need no uncle: the range covers them.
 */
export function uncleCount(range: Pick<HashRange, "length" | "proofLayers">): number {
  return Math.max(0, range.proofLayers - layersAbove(range.length) + 1);
}

/** Layers from the piece layer up to the root: 0 for a pack of one piece. */
export function piecesHeight(info: TorrentInfo): number {
  return layersAbove(info.pieceCount);
}

/** All layers from a pack's piece layer up, to answer hash requests from. Twice the size of the piece layer. */
export class PieceTree {
  readonly #info: TorrentInfo;
  /** Entry i is layer (piece layer + i), without the hashes that cover only filling. */
  readonly #layers: Buffer[];

  /** `pieceLayer` has been checked against the root. */
  constructor(info: TorrentInfo, pieceLayer: Buffer) {
    this.#info = info;
    this.#layers = [pieceLayer];
    const base = layerOf(info.pieceLength);
    for (let up = 0; up < piecesHeight(info); up++) {
      this.#layers.push(parentLayer(this.#layers[up] as Buffer, base + up));
    }
  }

  /**
   * The answer to a peer's request: hashes of the piece layer, or a reject for anything else. We keep no leaf hashes, and a peer
   * that lacks none of the piece layer has no need of them.
   */
  answer(request: HashRange): HashesMessage | HashRangeMessage {
    const { root, baseLayer, index, length, proofLayers } = request;
    const range = { root, baseLayer, index, length, proofLayers };
    if (!this.#servable(request)) return { type: "hashReject", ...range };
    const hashes: Buffer[] = [];
    for (let node = index; node < index + length; node++) hashes.push(this.#node(0, node));
    for (let up = layersAbove(length); up <= proofLayers; up++)
      hashes.push(this.#node(up, (index >>> up) ^ 1));
    return { type: "hashes", ...range, hashes: Buffer.concat(hashes) };
  }

  #servable({ root, baseLayer, index, length, proofLayers }: HashRange): boolean {
    const height = piecesHeight(this.#info);
    const aligned = length >= 1 && (length & (length - 1)) === 0 && index % length === 0;
    return (
      height > 0 &&
      aligned &&
      length <= LIMITS.hashesPerRequest &&
      index + length <= 2 ** height &&
      proofLayers < height &&
      baseLayer === layerOf(this.#info.pieceLength) &&
      this.#info.root.equals(root)
    );
  }

  #node(up: number, index: number): Buffer {
    const layer = this.#layers[up] as Buffer;
    if ((index + 1) * HASH_BYTES > layer.length) return fillerHash(layerOf(this.#info.pieceLength) + up);
    return layer.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  }
}
