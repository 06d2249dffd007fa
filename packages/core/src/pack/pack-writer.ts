import type { Random } from "../base/random.ts";
import { createAgeHeader, type AgeLock } from "./age-header.ts";
import { AgeStreamEncryptor } from "./age-stream.ts";
import { planPadding } from "./padding.ts";
import { SeekTable, seekTableLength } from "./seek-table.ts";
import { PADDING_MAGIC, SKIPPABLE_HEADER_LENGTH, encodeSkippableHeader } from "./zstd-format.ts";

/** Where a pack's bytes go. */
export interface PackOutput {
  /**
   * Takes the pack's bytes in order, about 1 MiB at a time. The next call waits for the promise, after which the buffer is used again:
   * whoever keeps bytes copies them.
   */
  readonly write: (bytes: Buffer) => Promise<void>;
  /** Sees the same bytes, for the Merkle tree, and does not keep them. */
  readonly hasher?: { update(bytes: Buffer): unknown };
}

const WRITE = 1024 * 1024;
const ZEROS = Buffer.alloc(WRITE);

/** Encrypts frames as they come, keeps the seek table, and ends the pack with padding and table (PROTOCOL 2.1). */
export class PackWriter {
  readonly #output: PackOutput;
  readonly #encryptor: AgeStreamEncryptor;
  readonly #table = new SeekTable();
  #plainLength = 0;
  #length = 0;
  /** Ciphertext is collected in one buffer while the other is being written. */
  #filling = Buffer.allocUnsafeSlow(WRITE);
  #filled = 0;
  #spare = Buffer.allocUnsafeSlow(WRITE);
  #writing: Promise<void> = Promise.resolve();

  private constructor(output: PackOutput, encryptor: AgeStreamEncryptor) {
    this.#output = output;
    this.#encryptor = encryptor;
  }

  static async start(lock: AgeLock, random: Random, output: PackOutput): Promise<PackWriter> {
    const { bytes, streamKey } = await createAgeHeader(lock, random);
    const writer = new PackWriter(output, new AgeStreamEncryptor(streamKey));
    await writer.#append(bytes);
    return writer;
  }

  /**
   * Appends one frame, given in parts, which unpacks to `contentLength` bytes (0 for skippable frames). The last 64 KiB of the parts are kept
   * until the next frame, by reference.
   */
  async frame(parts: readonly Buffer[], contentLength: number): Promise<void> {
    let packedLength = 0;
    for (const part of parts) {
      packedLength += part.length;
      await this.#encrypt(part);
    }
    this.#table.add(packedLength, contentLength);
  }

  /** Ends the pack; returns its length. */
  async finish(): Promise<number> {
    for (const frameLength of planPadding(this.#plainLength + seekTableLength(this.#table.count))) {
      const contentLength = frameLength - SKIPPABLE_HEADER_LENGTH;
      await this.#encrypt(encodeSkippableHeader(PADDING_MAGIC, contentLength));
      for (let left = contentLength; left > 0; left -= ZEROS.length)
        await this.#encrypt(ZEROS.subarray(0, left));
      this.#table.add(frameLength, 0);
    }
    await this.#encrypt(this.#table.encode());
    for (const part of this.#encryptor.final()) await this.#append(part);
    await this.#flush();
    await this.#writing;
    return this.#length;
  }

  /** After a failure: waits until nothing is written any more. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#writing]);
  }

  async #encrypt(plain: Buffer): Promise<void> {
    this.#plainLength += plain.length;
    // Cut, so that a long part is not held twice over in ciphertext.
    for (let offset = 0; offset < plain.length; offset += WRITE) {
      const sealed = this.#encryptor.update(plain.subarray(offset, offset + WRITE));
      for (const part of sealed) await this.#append(part);
    }
  }

  async #append(bytes: Buffer): Promise<void> {
    for (let offset = 0; offset < bytes.length;) {
      const copied = bytes.copy(this.#filling, this.#filled, offset);
      offset += copied;
      this.#filled += copied;
      if (this.#filled === WRITE) await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    const bytes = this.#filling.subarray(0, this.#filled);
    this.#output.hasher?.update(bytes);
    await this.#writing;
    this.#writing = this.#output.write(bytes);
    // A failure counts at the next write, or at the end.
    this.#writing.catch(() => {});
    this.#length += bytes.length;
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#filled = 0;
  }
}
