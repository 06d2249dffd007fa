import type { PackSource } from "../../src/pack/source.ts";

/** A source over bytes in memory that records its reads, so that a test can say what was read and in what order. */
export class MemorySource implements PackSource {
  readonly reads: { offset: number; length: number }[] = [];
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  read(offset: number, length: number): Promise<Buffer> {
    this.reads.push({ offset, length });
    if (offset < 0 || length < 0 || offset + length > this.#bytes.length) {
      return Promise.reject(new RangeError("a read lies outside the source"));
    }
    return Promise.resolve(Buffer.from(this.#bytes.subarray(offset, offset + length)));
  }
}
