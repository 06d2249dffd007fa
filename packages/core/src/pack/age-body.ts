import type { KeyObject } from "node:crypto";
import { BackroomError } from "../base/errors.ts";
import { release } from "../base/memory.ts";
import { CHUNK_BYTES, openChunk, plainLength, SEALED_CHUNK_BYTES } from "./age-stream.ts";
import type { PackSource } from "./source.ts";

/** Chunks read from the source at once: 1 MiB, so that a long read is few reads and little memory. */
const BATCH_CHUNKS = 16;

/** What opens the body of one age file, and nothing else: other threads may be given it. */
export interface AgeBody {
  /** Where it begins: behind the header. */
  readonly offset: number;
  readonly streamKey: KeyObject;
}

export interface AgePlain extends PackSource {
  readonly body: AgeBody;
  /** The stretch of the age file that has to be read for a stretch of the plaintext. */
  sealedSpan(offset: number, length: number): { readonly offset: number; readonly length: number };
}

/**
 * The plaintext of an age file whose header has been opened before, any byte of it. The last chunk is opened first: it alone is sealed as the last one, so
 * it proves the length, and that nothing was cut off, before anything is interpreted. Raises E_CRYPTO for damage, and what `source` raises.
 */
export async function openAgeBody(
  source: PackSource,
  body: AgeBody,
  signal?: AbortSignal,
): Promise<AgePlain> {
  const plain = new AgeSource(source, body);
  await plain.openLast(signal);
  return plain;
}

interface OpenChunk {
  readonly index: number;
  readonly bytes: Buffer;
}

class AgeSource implements AgePlain {
  readonly length: number;
  readonly body: AgeBody;
  readonly #source: PackSource;
  readonly #lastIndex: number;
  /** The last chunk, kept since the seek table is there, and the one most recently read to its middle. */
  #last: OpenChunk | undefined;
  #recent: OpenChunk | undefined;

  constructor(source: PackSource, body: AgeBody) {
    this.#source = source;
    this.body = body;
    this.length = plainLength(source.length - body.offset);
    this.#lastIndex = Math.max(0, Math.ceil(this.length / CHUNK_BYTES) - 1);
  }

  async openLast(signal: AbortSignal | undefined): Promise<void> {
    [this.#last] = await this.#open(this.#lastIndex, this.#lastIndex, signal);
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Buffer> {
    if (offset < 0 || length < 0 || offset + length > this.length) {
      throw new BackroomError("E_DECODE", "a read lies outside the pack");
    }
    const result = Buffer.allocUnsafe(length);
    const end = offset + length;
    for (let at = offset; at < end;) {
      const first = Math.floor(at / CHUNK_BYTES);
      const wanted = Math.min(first + BATCH_CHUNKS - 1, Math.floor((end - 1) / CHUNK_BYTES));
      const chunks = await this.#chunks(first, wanted, signal);
      const kept = chunks.at(-1) as OpenChunk;
      for (const { index, bytes } of chunks) {
        const start = at - index * CHUNK_BYTES;
        at += bytes.copy(result, at - offset, start, Math.min(bytes.length, start + end - at));
        // Nobody else has seen those before the last one.
        if (index !== kept.index) release(bytes);
      }
      this.#recent = kept;
    }
    return result;
  }

  sealedSpan(offset: number, length: number): { readonly offset: number; readonly length: number } {
    const first = Math.floor(offset / CHUNK_BYTES);
    const last = Math.floor((offset + Math.max(1, length) - 1) / CHUNK_BYTES);
    const start = this.body.offset + first * SEALED_CHUNK_BYTES;
    const end = Math.min(this.#source.length, this.body.offset + (last + 1) * SEALED_CHUNK_BYTES);
    return { offset: start, length: end - start };
  }

  /** Chunks `first` to `wanted`, or fewer, at least one: a kept one alone, others up to the next kept one. */
  async #chunks(first: number, wanted: number, signal?: AbortSignal): Promise<OpenChunk[]> {
    const kept = this.#kept(first);
    if (kept !== undefined) return [kept];
    let to = first;
    while (to < wanted && this.#kept(to + 1) === undefined) to++;
    return await this.#open(first, to, signal);
  }

  #kept(index: number): OpenChunk | undefined {
    return [this.#last, this.#recent].find((chunk) => chunk?.index === index);
  }

  async #open(first: number, to: number, signal?: AbortSignal): Promise<OpenChunk[]> {
    const from = this.body.offset + first * SEALED_CHUNK_BYTES;
    const until = Math.min(this.#source.length, this.body.offset + (to + 1) * SEALED_CHUNK_BYTES);
    // What is read for long is as much as the pack: given back by hand, it is no work for the collector. Single chunks may be a part of what the source holds anyway.
    const isLong = to > first;
    const memory =
      isLong && this.#source.givesAway !== true ? Buffer.allocUnsafeSlow(until - from) : undefined;
    const sealed = await this.#source.read(from, until - from, signal, memory);
    const chunks: OpenChunk[] = [];
    for (let index = first; index <= to; index++) {
      const at = (index - first) * SEALED_CHUNK_BYTES;
      const bytes = openChunk(
        this.body.streamKey,
        index,
        index === this.#lastIndex,
        sealed.subarray(at, at + SEALED_CHUNK_BYTES),
      );
      chunks.push({ index, bytes });
    }
    if (memory !== undefined) release(memory);
    else if (isLong) release(sealed);
    return chunks;
  }
}
