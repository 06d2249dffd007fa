import type { Random } from "../base/random.ts";
import { Bitfield } from "../torrent/bitfield.ts";
import { ActivePiece } from "./active-piece.ts";
import { PickerPeer } from "./picker-peer.ts";
import { PickOrder } from "./pick-order.ts";

/** One block, by number: block b of a piece begins at b · 16 KiB. */
export interface Block {
  readonly piece: number;
  readonly block: number;
}

export interface PickerOptions {
  readonly pieceCount: number;
  blocksIn(piece: number): number;
  /** What is already there. */
  have(piece: number): boolean;
  readonly random: Random;
  /** Pieces begun and not yet stored: bounds the memory of whoever collects their blocks. Urgent ones may take a quarter more. */
  readonly maxActive: number;
  /** Pieces to fetch before all others, in this order, as far as they are wanted. */
  readonly first: readonly number[];
}

/** What a change of what is wanted ends: pieces of which what is held must be thrown away, and requests that are to be cancelled. */
export interface Unwanted {
  readonly pieces: readonly number[];
  readonly requests: ReadonlyMap<PickerPeer, readonly Block[]>;
}

/** The most peers that one block is asked of at the same time. */
const MOST_ASKERS = 3;
/** Blocks of a piece asked once more at a time: what comes twice is waste, and a few at a time close the gap as well. */
const AGAIN_BATCH = 16;
/** Pieces taken at random before rarity counts, so that a new peer soon has something to give (BEP 3's habit). */
const RANDOM_PIECES = 4;

/**
 * Decides which blocks to ask of which peer. Pure: no clock, no input or output. The order is: urgent pieces (somebody waits for them),
 * first and last pieces, then those that are wanted sooner before others, and among equals four random ones, then the rarest. Pieces that are not
 * wanted are asked for only while they are urgent. A piece that was begun is finished first: what is held of it takes memory. A block is asked of one
 * peer only, except in endgame (nothing is left to begin) and for urgent pieces, and there only when an earlier request is older than the asking peer's
 * patience.
 */
export class Picker {
  readonly #options: PickerOptions;
  readonly #order: PickOrder;
  readonly #done: Bitfield;
  readonly #active = new Map<number, ActivePiece>();
  /** Active pieces with free blocks: the only ones worth looking at when a peer has room. */
  readonly #open = new Set<ActivePiece>();
  readonly #peers = new Set<PickerPeer>();
  /** Pieces whose last attempt was bad and mixed: begun anew with one peer only. */
  readonly #suspect = new Set<number>();
  #urgent: readonly number[] = [];
  /** Of the urgent ones those that are not wanted otherwise. */
  #lent: ReadonlySet<number> = new Set();
  #first: readonly number[];
  /** Pieces that are wanted, and those of them that are here. */
  wantedCount: number;
  wantedDoneCount = 0;

  constructor(options: PickerOptions) {
    this.#options = options;
    this.#done = new Bitfield(options.pieceCount);
    for (let piece = 0; piece < options.pieceCount; piece++) if (options.have(piece)) this.#done.set(piece);
    this.#order = new PickOrder(options.pieceCount, (piece) => this.#done.has(piece), options.random);
    this.wantedCount = options.pieceCount;
    this.wantedDoneCount = this.#done.count;
    this.#first = options.first;
  }

  /** Nothing that is wanted is missing. */
  get complete(): boolean {
    return this.wantedDoneCount === this.wantedCount && this.#lent.size === 0;
  }

  isWanted(piece: number): boolean {
    return this.#order.isWanted(piece);
  }

  /** From now on pieces are wanted as soon as `levels` says, one number of LEVELS for each. */
  setLevels(levels: Uint8Array): Unwanted {
    this.#order.setLevels(levels);
    this.#lent = new Set(this.#urgent.filter((piece) => this.#isLent(piece)));
    const unwanted = this.#dropUnwanted();
    this.#recount();
    return unwanted;
  }

  addPeer(): PickerPeer {
    const peer = new PickerPeer(this.#options.pieceCount);
    this.#peers.add(peer);
    return peer;
  }

  /** Gives its blocks back. Returns the exclusive pieces that begin anew: what is held of them must be thrown away. */
  removePeer(peer: PickerPeer): number[] {
    const restarted = this.release(peer);
    if (peer.pieces !== undefined) {
      for (let piece = 0; piece < this.#options.pieceCount; piece++) {
        if (peer.pieces.has(piece)) this.#order.lower(piece);
      }
    }
    this.#peers.delete(peer);
    return restarted;
  }

  /** What the peer has, said once, before any `peerHas`: undefined for everything. */
  peerHasPieces(peer: PickerPeer, pieces: Bitfield | undefined): void {
    peer.pieces = pieces;
    if (pieces === undefined) return this.#recountOf(peer);
    for (let piece = 0; piece < this.#options.pieceCount; piece++) {
      if (pieces.has(piece)) this.#countHave(peer, piece);
    }
  }

  peerHas(peer: PickerPeer, piece: number): void {
    if (peer.pieces?.set(piece) === true) this.#countHave(peer, piece);
  }

  /** Pieces that somebody waits for, soonest first. Of those that are not wanted otherwise nothing more is asked once they are not urgent any more. */
  setUrgent(pieces: readonly number[]): Unwanted {
    this.#urgent = pieces.filter((piece) => !this.#done.has(piece));
    const before = this.#lent;
    this.#lent = new Set(this.#urgent.filter((piece) => this.#isLent(piece)));
    for (const piece of this.#lent) if (!before.has(piece)) this.#count(piece, 1);
    for (const piece of before) if (!this.#lent.has(piece) && this.#isLent(piece)) this.#count(piece, -1);
    return this.#dropUnwanted();
  }

  /**
   * Up to `count` blocks to ask of `peer` now; they count as asked. `patienceMs` is how old somebody else's request for a block must be
   * before this peer is asked for it too, where that is allowed at all: at best the time in which this peer answers.
   */
  pick(peer: PickerPeer, count: number, nowMs: number, patienceMs: number): Block[] {
    const picked: Block[] = [];
    const full = (): boolean => picked.length >= count;
    const take = (active: ActivePiece, again: boolean): void => {
      const room = count - picked.length;
      const blocks = again
        ? active.takeAgain(peer, Math.min(room, AGAIN_BATCH), nowMs, nowMs - patienceMs, MOST_ASKERS)
        : active.take(peer, room, nowMs);
      if (active.freeCount === 0) this.#open.delete(active);
      if (active.exclusive) active.leader = peer;
      peer.noteAsked(active.piece, blocks);
      for (const block of blocks) picked.push({ piece: active.piece, block });
    };

    for (const piece of this.#urgent) {
      if (full()) return picked;
      const active = this.#active.get(piece) ?? this.#begin(peer, piece, this.#options.maxActive * 1.25);
      if (active === undefined || !mayAsk(peer, active)) continue;
      take(active, false);
      if (!full() && !active.exclusive) take(active, true);
    }
    for (const active of this.#open) {
      if (full()) return picked;
      if ((active.leader ?? peer) === peer && mayAsk(peer, active)) take(active, false);
    }
    while (!full()) {
      const active = this.#beginNext(peer);
      if (active === undefined) break;
      take(active, false);
    }
    for (const active of this.#open) {
      if (full()) return picked;
      if (mayAsk(peer, active)) take(active, false);
    }
    // Of a single peer nothing is asked twice.
    const scarce = this.#order.size === 0 || this.#active.size >= this.#options.maxActive;
    if (scarce && this.#peers.size > 1) {
      const most = Math.min(count, picked.length + AGAIN_BATCH);
      for (const active of this.#active.values()) {
        if (picked.length >= most) return picked;
        if (!active.exclusive && mayAsk(peer, active)) take(active, true);
      }
    }
    return picked;
  }

  /**
   * A block came. Undefined when it is not wanted (any more); otherwise which other peers were asked for it,
   * whose requests should be cancelled, and whether the piece is whole now.
   */
  received(
    peer: PickerPeer,
    { piece, block }: Block,
  ): { cancel: PickerPeer[]; complete: boolean } | undefined {
    peer.forgetAsked(piece, block);
    const active = this.#active.get(piece);
    const cancel = active?.receive(peer, block);
    if (active === undefined || cancel === undefined) return undefined;
    for (const other of cancel) other.forgetAsked(piece, block);
    if (active.freeCount === 0) this.#open.delete(active);
    return { cancel, complete: active.complete };
  }

  /** The peer refuses the block: it is not asked for this piece again until `forgive`. Returns exclusive pieces that begin anew. */
  rejected(peer: PickerPeer, { piece, block }: Block): number[] {
    if (!peer.forgetAsked(piece, block)) return [];
    peer.refused.add(piece);
    const active = this.#active.get(piece);
    if (active === undefined) return [];
    active.release(peer, block);
    if (active.freeCount > 0) this.#open.add(active);
    return active.leader === peer ? this.#lose(active) : [];
  }

  /** The peer may be asked again for what it refused: it unchoked us, or some time went by. */
  forgive(peer: PickerPeer): void {
    peer.refused.clear();
  }

  /** Everything asked of the peer is free for others: it choked, stalls or leaves. Returns exclusive pieces that begin anew. */
  release(peer: PickerPeer): number[] {
    const restarted: number[] = [];
    for (const [piece, blocks] of peer.asked) {
      const active = this.#active.get(piece);
      for (const block of blocks) active?.release(peer, block);
      if (active !== undefined && active.freeCount > 0) this.#open.add(active);
    }
    peer.asked.clear();
    for (const active of this.#active.values()) {
      if (active.leader === peer) restarted.push(...this.#lose(active));
    }
    return restarted;
  }

  /** The piece is verified and stored. */
  finish(piece: number): void {
    this.#drop(piece);
    this.#suspect.delete(piece);
    const wasWanted = this.#wants(piece);
    if (!this.#done.set(piece)) return;
    if (this.isWanted(piece)) this.wantedDoneCount++;
    if (wasWanted) for (const peer of this.#peers) if (peer.has(piece)) peer.usefulCount--;
    if (this.#lent.has(piece)) this.#lent = new Set([...this.#lent].filter((other) => other !== piece));
    if (this.#urgent.includes(piece)) this.#urgent = this.#urgent.filter((other) => other !== piece);
  }

  /** The piece was bad, or could not be kept: it is missing again, and from now on comes from one peer at a time. */
  fail(piece: number): void {
    if (!this.#active.has(piece)) return;
    this.#drop(piece);
    this.#suspect.add(piece);
    this.#order.insert(piece);
    if (!this.#wants(piece)) return;
    for (const peer of this.#peers) if (peer.has(piece)) peer.freshCount++;
  }

  /** A piece that was stored is not there any more. */
  lost(piece: number): void {
    if (!this.#done.has(piece)) return;
    this.#done.clear(piece);
    this.#order.insert(piece);
    if (this.isWanted(piece)) this.wantedDoneCount--;
    if (this.#wants(piece)) this.#count(piece, 1);
  }

  /** Somebody waits for it, and nobody wants it otherwise. */
  #isLent(piece: number): boolean {
    return !this.#done.has(piece) && !this.isWanted(piece);
  }

  /** What is held of a piece takes memory, and room among those that are begun. */
  #dropUnwanted(): Unwanted {
    const dropped = [...this.#active.values()].filter(
      (active) => !active.complete && !this.#wants(active.piece),
    );
    const requests = new Map<PickerPeer, Block[]>();
    for (const { piece } of dropped) {
      for (const peer of this.#peers) {
        const asked = [...(peer.asked.get(piece) ?? [])].map((block) => ({ piece, block }));
        if (asked.length > 0) requests.set(peer, [...(requests.get(peer) ?? []), ...asked]);
      }
      this.#drop(piece);
      this.#order.insert(piece);
    }
    return { pieces: dropped.map(({ piece }) => piece), requests };
  }

  #wants(piece: number): boolean {
    return this.isWanted(piece) || this.#lent.has(piece);
  }

  /** A missing piece is wanted from now on, or not any more. */
  #count(piece: number, change: 1 | -1): void {
    for (const peer of this.#peers) {
      if (!peer.has(piece)) continue;
      peer.usefulCount += change;
      if (this.#order.isFree(piece)) peer.freshCount += change;
    }
  }

  #recount(): void {
    this.wantedCount = 0;
    this.wantedDoneCount = 0;
    for (let piece = 0; piece < this.#options.pieceCount; piece++) {
      if (!this.isWanted(piece)) continue;
      this.wantedCount++;
      if (this.#done.has(piece)) this.wantedDoneCount++;
    }
    for (const peer of this.#peers) this.#recountOf(peer);
  }

  #recountOf(peer: PickerPeer): void {
    peer.usefulCount = 0;
    peer.freshCount = 0;
    for (let piece = 0; piece < this.#options.pieceCount; piece++) {
      if (this.#done.has(piece) || !peer.has(piece) || !this.#wants(piece)) continue;
      peer.usefulCount++;
      if (this.#order.isFree(piece)) peer.freshCount++;
    }
  }

  #countHave(peer: PickerPeer, piece: number): void {
    this.#order.raise(piece);
    if (this.#done.has(piece) || !this.#wants(piece)) return;
    peer.usefulCount++;
    if (this.#order.isFree(piece)) peer.freshCount++;
  }

  #beginNext(peer: PickerPeer): ActivePiece | undefined {
    if (peer.freshCount === 0) return undefined;
    const most = this.#options.maxActive;
    if (this.#active.size >= most) return undefined;
    if (this.#first.length > 0) {
      for (const piece of this.#first) {
        if (!this.isWanted(piece)) continue;
        const active = this.#begin(peer, piece, most);
        if (active !== undefined) return active;
      }
    }
    const atRandom = this.#done.count < RANDOM_PIECES;
    const piece = this.#order.find((one) => peer.has(one) && !peer.refused.has(one), atRandom);
    return piece === undefined ? undefined : this.#begin(peer, piece, most);
  }

  #begin(peer: PickerPeer, piece: number, most: number): ActivePiece | undefined {
    if (this.#active.size >= most || !this.#order.isFree(piece)) return undefined;
    if (!peer.has(piece) || peer.refused.has(piece)) return undefined;
    this.#order.remove(piece);
    if (this.#wants(piece)) for (const other of this.#peers) if (other.has(piece)) other.freshCount--;
    const active = new ActivePiece(piece, this.#options.blocksIn(piece), peer, this.#suspect.has(piece));
    this.#active.set(piece, active);
    this.#open.add(active);
    return active;
  }

  /** The piece has no leader any more; an exclusive one begins anew. */
  #lose(active: ActivePiece): number[] {
    if (active.complete) return [];
    active.leader = undefined;
    if (!active.exclusive) return [];
    active.reset();
    this.#open.add(active);
    for (const peer of this.#peers) peer.asked.delete(active.piece);
    return [active.piece];
  }

  #drop(piece: number): void {
    const active = this.#active.get(piece);
    if (active === undefined) return;
    this.#active.delete(piece);
    this.#open.delete(active);
    for (const peer of this.#peers) peer.asked.delete(piece);
  }
}

/** Whether the picker may ask `peer` for blocks of a piece under way. */
function mayAsk(peer: PickerPeer, active: ActivePiece): boolean {
  if (!peer.has(active.piece) || peer.refused.has(active.piece)) return false;
  return !active.exclusive || active.leader === undefined || active.leader === peer;
}
