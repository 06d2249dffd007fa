/**
 * Pieces grouped by how many peers have them, rarest first. One array is kept partitioned into the groups, so a piece that becomes rarer or commoner
 * moves by one swap, and 100,000 pieces cost nothing while nothing changes.
 */
export class RarityOrder {
  /** Pieces in rising availability; within a group in the order in which they came, nearly. */
  readonly #order: Uint32Array;
  /** Where a piece stands in #order, or -1 while it is out. */
  readonly #position: Int32Array;
  readonly #availability: Uint16Array;
  /** #ends[a] is the index after the last piece of availability a. The last entry equals #size. */
  readonly #ends: number[] = [0];
  #size = 0;

  /** Empty. `availability` has a number for each piece, which orders may share: each changes those of the pieces that it is told of. */
  constructor(availability: Uint16Array) {
    this.#order = new Uint32Array(availability.length);
    this.#position = new Int32Array(availability.length).fill(-1);
    this.#availability = availability;
  }

  get size(): number {
    return this.#size;
  }

  /** The first piece, rarest first, for which `has` is true. With `from`, the search begins at that place and wraps around. */
  find(has: (piece: number) => boolean, from = 0): number | undefined {
    for (let step = 0; step < this.#size; step++) {
      const place = from + step;
      const piece = this.#order[place < this.#size ? place : place - this.#size] as number;
      if (has(piece)) return piece;
    }
    return undefined;
  }

  insert(piece: number): void {
    const availability = this.#availability[piece] as number;
    this.#growTo(availability);
    let place = this.#size++;
    this.#order[place] = piece;
    this.#position[piece] = place;
    const last = this.#ends.length - 1;
    this.#ends[last] = this.#size;
    // The piece is at the end of the commonest group; move it down group by group to its own.
    for (let group = last; group > availability; group--) {
      const start = this.#ends[group - 1] as number;
      this.#swap(place, start);
      place = start;
      this.#ends[group - 1] = start + 1;
    }
  }

  remove(piece: number): void {
    let place = this.#position[piece] as number;
    if (place < 0) return;
    for (let group = this.#availability[piece] as number; group < this.#ends.length; group++) {
      const end = (this.#ends[group] as number) - 1;
      this.#swap(place, end);
      place = end;
      this.#ends[group] = end;
    }
    this.#size--;
    this.#position[piece] = -1;
  }

  /** One more peer has the piece. */
  raise(piece: number): void {
    const availability = (this.#availability[piece] as number)++;
    const place = this.#position[piece] as number;
    if (place < 0) return;
    this.#growTo(availability + 1);
    const end = (this.#ends[availability] as number) - 1;
    this.#swap(place, end);
    this.#ends[availability] = end;
  }

  /** One peer fewer has the piece. */
  lower(piece: number): void {
    const availability = (this.#availability[piece] as number)--;
    const place = this.#position[piece] as number;
    if (place < 0) return;
    const start = this.#ends[availability - 1] as number;
    this.#swap(place, start);
    this.#ends[availability - 1] = start + 1;
  }

  #growTo(availability: number): void {
    while (this.#ends.length <= availability) this.#ends.push(this.#size);
  }

  #swap(a: number, b: number): void {
    const first = this.#order[a] as number;
    const second = this.#order[b] as number;
    this.#order[a] = second;
    this.#order[b] = first;
    this.#position[second] = a;
    this.#position[first] = b;
  }
}
