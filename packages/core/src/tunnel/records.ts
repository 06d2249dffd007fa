import { createCipheriv, createDecipheriv } from "node:crypto";
import { BackroomError } from "../base/errors.ts";
import { release } from "../base/memory.ts";
import { payloadBytesFor, SHORT_PAYLOAD_BYTES, STREAM_PAYLOAD_BYTES } from "../circuit/stream.ts";
import type { KeyChain } from "../circuit/key-chain.ts";
import { TAG_BYTES } from "../crypto/aead.ts";

/**
 *     record (114,607, or 1,967) = AES-256-GCM( u24 length ‖ bytes ‖ zeros ) ‖ 16 GCM tag            PROTOCOL 9
 *
 * Every record has one of these two lengths, those of the frames that it fills, so a gate learns nothing from it but what kind there is.
 */
const LENGTH_BYTES = 3;
const AROUND_BYTES = LENGTH_BYTES + TAG_BYTES;
/** The most bytes of a tunnel that one record carries. */
export const RECORD_BYTES = STREAM_PAYLOAD_BYTES - AROUND_BYTES;

/** One for all tunnels: a record is put together and sealed in one go, and sealing copies. */
const scratch = Buffer.alloc(STREAM_PAYLOAD_BYTES - TAG_BYTES);

/** Bytes waiting to go out, in the order written. */
export class WriteQueue {
  bytes = 0;
  #parts: Buffer[] = [];
  /** Parts before this one are gone; the array is cut once half of it is, so that taking is cheap. */
  #head = 0;
  #offset = 0;

  push(part: Buffer): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.bytes += part.length;
  }

  /** Moves up to `most` bytes into `target` at `at`; returns how many. */
  moveTo(target: Buffer, at: number, most: number): number {
    let moved = 0;
    while (moved < most && this.bytes > 0) {
      const part = this.#parts[this.#head] as Buffer;
      const count = part.copy(target, at + moved, this.#offset, this.#offset + most - moved);
      moved += count;
      this.bytes -= count;
      this.#offset += count;
      if (this.#offset === part.length) this.#dropHead();
    }
    return moved;
  }

  #dropHead(): void {
    release(this.#parts[this.#head] as Buffer);
    this.#head++;
    this.#offset = 0;
    if (this.#head * 2 < this.#parts.length) return;
    this.#parts = this.#parts.slice(this.#head);
    this.#head = 0;
  }
}

/** Fills one record from `queue`, as far as its bytes go, and seals it. */
export function sealRecord(chain: KeyChain, queue: WriteQueue): Buffer {
  const recordBytes = payloadBytesFor(queue.bytes, AROUND_BYTES);
  const sealedBytes = recordBytes - TAG_BYTES;
  const length = queue.moveTo(scratch, LENGTH_BYTES, recordBytes - AROUND_BYTES);
  scratch.writeUIntBE(length, 0, LENGTH_BYTES);
  scratch.fill(0, LENGTH_BYTES + length, sealedBytes);
  const cipher = createCipheriv("aes-256-gcm", chain.key(), chain.nonce());
  const body = cipher.update(scratch.subarray(0, sealedBytes));
  cipher.final();
  const record = Buffer.allocUnsafeSlow(recordBytes);
  record.set(body);
  record.set(cipher.getAuthTag(), sealedBytes);
  release(body);
  return record;
}

/** The bytes of the peer's next record, which is given away: memory of their own. Raises E_TUNNEL when it was changed, left out or comes from elsewhere. */
export function openRecord(chain: KeyChain, record: Buffer): Buffer {
  if (record.length !== STREAM_PAYLOAD_BYTES && record.length !== SHORT_PAYLOAD_BYTES) throw broken();
  const sealedBytes = record.length - TAG_BYTES;
  const decipher = createDecipheriv("aes-256-gcm", chain.key(), chain.nonce(), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(record.subarray(sealedBytes));
  const opened = decipher.update(record.subarray(0, sealedBytes));
  try {
    decipher.final();
  } catch (cause) {
    throw broken(cause);
  }
  release(record);
  const length = opened.readUIntBE(0, LENGTH_BYTES);
  if (length > opened.length - LENGTH_BYTES) throw broken();
  return opened.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
}

function broken(cause?: unknown): BackroomError {
  return new BackroomError("E_TUNNEL", "a tunnel record did not authenticate", { cause });
}
