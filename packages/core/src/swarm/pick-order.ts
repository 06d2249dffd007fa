import { shuffled, type Random } from "../base/random.ts";
import { Bitfield } from "../torrent/bitfield.ts";
import { RarityOrder } from "./rarity-order.ts";

/** How soon a piece is wanted: the higher the sooner, and at 0 not at all. */
export const LEVELS = { skip: 0, low: 1, normal: 2, high: 3 } as const;
const HIGHEST = LEVELS.high;

/** The pieces that nobody has been asked for yet: by how soon they are wanted, and among equals the rarest first. */
export class PickOrder {
  readonly #pieceCount: number;
  readonly #random: Random;
  readonly #levels: Uint8Array;
  /** Neither here nor asked of anybody, wanted or not. */
  readonly #free: Bitfield;
  readonly #availability: Uint16Array;
  /** By level; made when the first piece of that level is there, since each costs memory for all pieces. */
  readonly #orders: (RarityOrder | undefined)[] = [];

  /** All pieces but those that `have` names are free, and normal. */
  constructor(pieceCount: number, have: (piece: number) => boolean, random: Random) {
    this.#pieceCount = pieceCount;
    this.#random = random;
    this.#levels = new Uint8Array(pieceCount).fill(LEVELS.normal);
    this.#free = new Bitfield(pieceCount);
    this.#availability = new Uint16Array(pieceCount);
    this.#insertAll(Array.from({ length: pieceCount }, (_, piece) => piece).filter((piece) => !have(piece)));
  }

  /** Of free pieces that are wanted. */
  get size(): number {
    return this.#orders.reduce((sum, order) => sum + (order?.size ?? 0), 0);
  }

  isWanted(piece: number): boolean {
    return this.#levels[piece] !== LEVELS.skip;
  }

  isFree(piece: number): boolean {
    return this.#free.has(piece);
  }

  insert(piece: number): void {
    this.#free.set(piece);
    this.#orderOf(piece)?.insert(piece);
  }

  remove(piece: number): void {
    this.#free.clear(piece);
    this.#orderOf(piece)?.remove(piece);
  }

  /** One more peer has the piece, or one fewer. Peers that have everything are not counted: they change no order. */
  raise(piece: number): void {
    const order = this.#orderOf(piece);
    if (order === undefined) this.#availability[piece] = (this.#availability[piece] as number) + 1;
    else order.raise(piece);
  }

  lower(piece: number): void {
    const order = this.#orderOf(piece);
    if (order === undefined) this.#availability[piece] = (this.#availability[piece] as number) - 1;
    else order.lower(piece);
  }

  /** The first free and wanted piece for which `fits`, or any of those that are wanted as soon where `atRandom`. */
  find(fits: (piece: number) => boolean, atRandom: boolean): number | undefined {
    for (const order of this.#orders.toReversed()) {
      if (order === undefined || order.size === 0) continue;
      const piece = order.find(fits, atRandom ? this.#random.below(order.size) : 0);
      if (piece !== undefined) return piece;
    }
    return undefined;
  }

  /** One number of LEVELS for each piece. */
  setLevels(levels: Uint8Array): void {
    const moved: number[] = [];
    for (let piece = 0; piece < this.#pieceCount; piece++) {
      const level = Math.min(levels[piece] ?? 0, HIGHEST);
      if (level === this.#levels[piece]) continue;
      if (this.#free.has(piece)) {
        this.#orderOf(piece)?.remove(piece);
        moved.push(piece);
      }
      this.#levels[piece] = level;
    }
    this.#insertAll(moved);
  }

  /** In random order, which breaks ties: no two peers fetch in the same one. */
  #insertAll(pieces: readonly number[]): void {
    for (const piece of shuffled(pieces, this.#random)) this.insert(piece);
  }

  #orderOf(piece: number): RarityOrder | undefined {
    const level = this.#levels[piece] as number;
    if (level === LEVELS.skip) return undefined;
    return (this.#orders[level] ??= new RarityOrder(this.#availability));
  }
}
