import { BackroomError } from "../base/errors.ts";

/** One bit a piece, piece 0 in the highest bit of the first byte (BEP 3); spare bits at the end are zero. */
export class Bitfield {
  readonly length: number;
  readonly #bytes: Buffer;
  #count = 0;

  constructor(length: number) {
    this.length = length;
    this.#bytes = Buffer.alloc(Math.ceil(length / 8));
  }

  /** Copies `bytes`. Raises E_WIRE when their length is wrong or a spare bit is set. */
  static decode(bytes: Uint8Array, length: number): Bitfield {
    const field = new Bitfield(length);
    const spare = field.#bytes.length * 8 - length;
    const last = bytes[bytes.length - 1] ?? 0;
    if (bytes.length !== field.#bytes.length || (last & ((1 << spare) - 1)) !== 0) {
      throw new BackroomError("E_WIRE", "a bitfield has the wrong length or a spare bit set");
    }
    field.#bytes.set(bytes);
    for (const byte of bytes) for (let rest = byte; rest !== 0; rest &= rest - 1) field.#count++;
    return field;
  }

  static full(length: number): Bitfield {
    const field = new Bitfield(length);
    for (let piece = 0; piece < length; piece++) field.set(piece);
    return field;
  }

  /** How many bits are set. */
  get count(): number {
    return this.#count;
  }

  get complete(): boolean {
    return this.#count === this.length;
  }

  has(piece: number): boolean {
    return (((this.#bytes[piece >>> 3] ?? 0) >>> (7 - (piece & 7))) & 1) === 1;
  }

  /** Returns true when the bit was not set before. A piece that is out of range raises E_WIRE. */
  set(piece: number): boolean {
    if (piece >= this.length) throw new BackroomError("E_WIRE", "a piece is out of range");
    if (this.has(piece)) return false;
    this.#bytes[piece >>> 3] = (this.#bytes[piece >>> 3] as number) | (0x80 >>> (piece & 7));
    this.#count++;
    return true;
  }

  clear(piece: number): void {
    if (!this.has(piece)) return;
    this.#bytes[piece >>> 3] = (this.#bytes[piece >>> 3] as number) & ~(0x80 >>> (piece & 7));
    this.#count--;
  }

  /** A copy of the bytes. */
  encode(): Buffer {
    return Buffer.from(this.#bytes);
  }
}
