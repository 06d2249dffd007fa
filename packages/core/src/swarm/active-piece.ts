import { LIMITS } from "../base/limits.ts";
import type { PickerPeer } from "./picker-peer.ts";

/** One request under way: `atMs` is when it was made. */
interface Asker {
  readonly peer: PickerPeer;
  readonly atMs: number;
}

const FREE = 0;
const ASKED = 1;
const GOT = 2;

/** How many pieces of a pack may be begun and not yet stored: they are held in memory whole. */
export function mostActivePieces(pieceLength: number): number {
  const fitting = Math.floor(LIMITS.swarmActiveBytes / pieceLength);
  return Math.min(LIMITS.swarmActiveMost, Math.max(LIMITS.swarmActiveLeast, fitting));
}

/** The blocks of one piece that has been begun: which are free, of whom the others were asked, which are here. */
export class ActivePiece {
  readonly piece: number;
  readonly blockCount: number;
  /** Who began the piece. Others help only when they have nothing of their own to begin, so pieces mostly come from one peer. */
  leader: PickerPeer | undefined;
  /** After a bad piece: all blocks come from one peer, `leader`, so that it is known who lied. */
  readonly exclusive: boolean;
  readonly #state: Uint8Array;
  readonly #askers: (Asker[] | undefined)[];
  #free: number;
  #got = 0;

  constructor(piece: number, blockCount: number, leader: PickerPeer | undefined, exclusive: boolean) {
    this.piece = piece;
    this.blockCount = blockCount;
    this.leader = leader;
    this.exclusive = exclusive;
    this.#state = new Uint8Array(blockCount);
    this.#askers = Array.from({ length: blockCount });
    this.#free = blockCount;
  }

  get freeCount(): number {
    return this.#free;
  }

  get complete(): boolean {
    return this.#got === this.blockCount;
  }

  /** Marks up to `count` free blocks as asked of `peer` and returns them, lowest first. */
  take(peer: PickerPeer, count: number, nowMs: number): number[] {
    const taken: number[] = [];
    for (let block = 0; block < this.blockCount && taken.length < count && this.#free > 0; block++) {
      if (this.#state[block] !== FREE) continue;
      this.#state[block] = ASKED;
      this.#askers[block] = [{ peer, atMs: nowMs }];
      this.#free--;
      taken.push(block);
    }
    return taken;
  }

  /** Asks `peer` as well for up to `count` blocks whose newest request is from before `beforeMs` and has fewer than `most` askers. */
  takeAgain(peer: PickerPeer, count: number, nowMs: number, beforeMs: number, most: number): number[] {
    const taken: number[] = [];
    if (this.#got === this.blockCount) return taken;
    for (let block = 0; block < this.blockCount && taken.length < count; block++) {
      const askers = this.#askers[block];
      if (this.#state[block] !== ASKED || askers === undefined || askers.length >= most) continue;
      const fresh = askers.some((asker) => asker.peer === peer || asker.atMs > beforeMs);
      if (fresh) continue;
      askers.push({ peer, atMs: nowMs });
      taken.push(block);
    }
    return taken;
  }

  /** Marks a block as here. Returns who else was asked for it, or undefined when it is not wanted (any more). */
  receive(peer: PickerPeer, block: number): PickerPeer[] | undefined {
    if (this.#state[block] === GOT || (this.exclusive && this.leader !== peer)) return undefined;
    if (this.#state[block] === FREE) this.#free--;
    this.#state[block] = GOT;
    this.#got++;
    const others = (this.#askers[block] ?? []).filter((asker) => asker.peer !== peer);
    this.#askers[block] = undefined;
    return others.map((asker) => asker.peer);
  }

  /** `peer` will not send the block: it is free again when nobody else was asked. */
  release(peer: PickerPeer, block: number): void {
    if (this.#state[block] !== ASKED) return;
    const left = (this.#askers[block] ?? []).filter((asker) => asker.peer !== peer);
    this.#askers[block] = left;
    if (left.length > 0) return;
    this.#state[block] = FREE;
    this.#free++;
  }

  /** Forgets what is here and who was asked, and that there was a leader. */
  reset(): void {
    this.#state.fill(FREE);
    this.#askers.fill(undefined);
    this.#free = this.blockCount;
    this.#got = 0;
    this.leader = undefined;
  }
}
