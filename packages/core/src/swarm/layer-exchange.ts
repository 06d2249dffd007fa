import { LIMITS } from "../base/limits.ts";
import type { TorrentInfo } from "../torrent/info.ts";
import { PieceLayerFetch } from "../torrent/piece-layer-fetch.ts";
import type { HashesMessage, HashRange } from "../torrent/peer-wire.ts";

/**
 * Which part of the piece layer to ask of which peer. A range is asked of one peer at a time, and of another when that one refuses, leaves
 * or takes longer than LIMITS.peerStallMs. `Peer` is only told apart, never used.
 */
export class LayerExchange<Peer extends object> {
  readonly #fetch: PieceLayerFetch;
  /** Ranges under way, by index. */
  readonly #asked = new Map<number, { peer: Peer; sentMs: number }>();
  /** Peers that refused lately, and when: they may lack the layer themselves and get it later. */
  readonly #refusedMs = new WeakMap<Peer, number>();

  constructor(info: TorrentInfo) {
    this.#fetch = new PieceLayerFetch(info);
  }

  /** The layer, once it is whole. */
  get layer(): Buffer | undefined {
    return this.#fetch.layer;
  }

  /** Up to `count` ranges to ask of `peer` now; they count as asked. */
  pick(peer: Peer, count: number, nowMs: number): HashRange[] {
    const refusedMs = this.#refusedMs.get(peer);
    if (refusedMs !== undefined && nowMs - refusedMs < LIMITS.peerForgiveMs) return [];
    const picked: HashRange[] = [];
    for (const range of this.#fetch.missing()) {
      if (picked.length >= count) break;
      const asked = this.#asked.get(range.index);
      const stalled = asked !== undefined && nowMs - asked.sentMs > LIMITS.peerStallMs;
      if (asked !== undefined && (!stalled || asked.peer === peer)) continue;
      this.#asked.set(range.index, { peer, sentMs: nowMs });
      picked.push(range);
    }
    return picked;
  }

  /** Raises E_HASH or E_WIRE for an answer that cannot be right: its sender is to be dropped. */
  accept(message: HashesMessage): void {
    this.#fetch.accept(message);
    this.#asked.delete(message.index);
  }

  rejected(peer: Peer, range: HashRange, nowMs: number): void {
    this.#refusedMs.set(peer, nowMs);
    if (this.#asked.get(range.index)?.peer === peer) this.#asked.delete(range.index);
  }

  left(peer: Peer): void {
    for (const [index, asked] of this.#asked) if (asked.peer === peer) this.#asked.delete(index);
  }
}
