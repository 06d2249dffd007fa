import { BackroomError, type ErrorCode } from "./errors.ts";

/**
 * Reads untrusted bytes front to back. Every read past the end raises `code`, so a decoder built on it
 * cannot read out of bounds. Returned slices share memory with the input.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #code: ErrorCode;
  #offset = 0;

  constructor(bytes: Uint8Array, code: ErrorCode = "E_DECODE") {
    this.#bytes = asBuffer(bytes);
    this.#code = code;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  take(length: number): Buffer {
    if (length > this.remaining) throw new BackroomError(this.#code, "the data ends too early");
    const slice = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return slice;
  }

  u8(): number {
    return this.take(1).readUInt8(0);
  }

  u16(): number {
    return this.take(2).readUInt16BE(0);
  }

  u32(): number {
    return this.take(4).readUInt32BE(0);
  }

  /** 48 bits: the largest integer field we use, always a safe JavaScript integer. */
  u48(): number {
    return this.take(6).readUIntBE(0, 6);
  }

  /** Raises if anything is left: trailing bytes are an error in every format of ours. */
  end(): void {
    if (this.remaining !== 0) throw new BackroomError(this.#code, "the data goes on after its end");
  }
}

/** A Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Big-endian, as are the next three; a number that does not fit is a fault of ours (RangeError). */
export function u16be(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value, 0);
  return bytes;
}

export function u32be(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

export function u48be(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}

export function u64be(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value), 0);
  return bytes;
}
