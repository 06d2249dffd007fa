import type { Random } from "../base/random.ts";
import { createAgeHeader, type AgeLock } from "./age-header.ts";
import { AgeStreamEncryptor } from "./age-stream.ts";
import { planPadding } from "./padding.ts";
import { SeekTable, seekTableLength } from "./seek-table.ts";
import { PADDING_MAGIC, SKIPPABLE_HEADER_LENGTH, encodeSkippableHeader } from "./zstd-format.ts";

/** Where a pack's bytes go. */
export interface PackOutput {
  /** Takes the pack's bytes in order, about 1 MiB at a time, and may keep them; the next call waits for the promise. */
  readonly write: (bytes: Buffer) => Promise<void>;
  /** Sees the same bytes, for the Merkle tree. */
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
  /** Ciphertext that waits until a write is worth it. */
  #held: Buffer[];
  #heldLength: number;

  private constructor(output: PackOutput, header: Buffer, encryptor: AgeStreamEncryptor) {
    this.#output = output;
    this.#encryptor = encryptor;
    this.#held = [header];
    this.#heldLength = header.length;
  }

  static async start(lock: AgeLock, random: Random, output: PackOutput): Promise<PackWriter> {
    const { bytes, streamKey } = await createAgeHeader(lock, random);
    return new PackWriter(output, bytes, new AgeStreamEncryptor(streamKey));
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
    for (const part of this.#encryptor.final()) this.#hold(part);
    await this.#flush();
    return this.#length;
  }

  async #encrypt(plain: Buffer): Promise<void> {
    this.#plainLength += plain.length;
    // Cut, so that a long part is not held twice over in ciphertext.
    for (let offset = 0; offset < plain.length; offset += WRITE) {
      for (const part of this.#encryptor.update(plain.subarray(offset, offset + WRITE))) this.#hold(part);
      if (this.#heldLength >= WRITE) await this.#flush();
    }
  }

  #hold(part: Buffer): void {
    this.#held.push(part);
    this.#heldLength += part.length;
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#held, this.#heldLength);
    this.#held = [];
    this.#heldLength = 0;
    this.#length += bytes.length;
    this.#output.hasher?.update(bytes);
    await this.#output.write(bytes);
  }
}
