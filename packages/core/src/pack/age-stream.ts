import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import { BackroomError } from "../base/errors.ts";

/**
 * Body of an age v1 file (age specification, "Payload"): STREAM over ChaCha20-Poly1305.
 *
 *   chunk 0 ‖ tag ‖ chunk 1 ‖ tag … last chunk ‖ tag       chunks of 65,536, the last of 1 to 65,536 (0 only in an empty file)
 *   nonce of a chunk = 11 bytes count ‖ u8 (1 in the last chunk, else 0)
 */
export const CHUNK_BYTES = 64 * 1024;
const STREAM_TAG_BYTES = 16;
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + STREAM_TAG_BYTES;
const CIPHER = "chacha20-poly1305";
const CIPHER_OPTIONS = { authTagLength: STREAM_TAG_BYTES };

/** Length of the body for `plainLength` bytes. */
export function sealedLength(plainLength: number): number {
  return plainLength + STREAM_TAG_BYTES * Math.max(1, Math.ceil(plainLength / CHUNK_BYTES));
}

/** Length of what a body of `bodyLength` holds. Raises E_CRYPTO for a length that no body has. */
export function plainLength(bodyLength: number): number {
  const chunks = Math.ceil(bodyLength / SEALED_CHUNK_BYTES);
  const last = bodyLength - (chunks - 1) * SEALED_CHUNK_BYTES;
  if (chunks === 0 || last < STREAM_TAG_BYTES || (last === STREAM_TAG_BYTES && chunks > 1)) {
    throw new BackroomError("E_CRYPTO", "the encrypted body was cut off");
  }
  return bodyLength - chunks * STREAM_TAG_BYTES;
}

/** Opens chunk number `index`, tag included. Raises E_CRYPTO, also where it is the last chunk and should not be, or the reverse. */
export function openChunk(key: KeyObject, index: number, last: boolean, sealed: Buffer): Buffer {
  const bodyLength = sealed.length - STREAM_TAG_BYTES;
  // An empty last chunk after others would give one content two encodings, so the specification forbids it.
  if (bodyLength < 0 || (bodyLength === 0 && index > 0)) {
    throw new BackroomError("E_CRYPTO", "the encrypted body was cut off");
  }
  const decipher = createDecipheriv(CIPHER, key, chunkNonce(index, last), CIPHER_OPTIONS);
  decipher.setAuthTag(sealed.subarray(bodyLength));
  const plain = decipher.update(sealed.subarray(0, bodyLength));
  try {
    decipher.final();
  } catch (cause) {
    throw new BackroomError("E_CRYPTO", "the encrypted body did not authenticate", { cause });
  }
  return plain;
}

function chunkNonce(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** Collects bytes into chunks of `size`, without copying where one comes whole. */
class Chunker {
  #held: Buffer[] = [];
  #heldBytes = 0;
  readonly #size: number;
  readonly #lookahead: number;

  /** With a lookahead of 1, a chunk is given out only when something follows it. */
  constructor(size: number, lookahead: 0 | 1) {
    this.#size = size;
    this.#lookahead = lookahead;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  *push(bytes: Buffer): Generator<Buffer> {
    let rest = bytes;
    while (this.#heldBytes + rest.length >= this.#size + this.#lookahead) {
      const missing = this.#size - this.#heldBytes;
      this.#hold(rest.subarray(0, missing));
      rest = rest.subarray(missing);
      yield this.take();
    }
    this.#hold(rest);
  }

  /** What is held, as one buffer. */
  take(): Buffer {
    const chunk =
      this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    return chunk;
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }
}

/** Seals a body front to back. Holds at most one chunk, by reference: what is passed in may not be changed afterwards. */
export class AgeStreamEncryptor {
  readonly #key: KeyObject;
  /** The last chunk is sealed differently, so a full one waits until something follows. */
  readonly #chunker = new Chunker(CHUNK_BYTES, 1);
  #index = 0;

  constructor(streamKey: KeyObject) {
    this.#key = streamKey;
  }

  /** Sealed chunks, as many as are known not to be the last: ciphertext and tag in turn, in fresh buffers. */
  update(plain: Buffer): Buffer[] {
    const sealed: Buffer[] = [];
    for (const chunk of this.#chunker.push(plain)) this.#seal(chunk, false, sealed);
    return sealed;
  }

  /** The last chunk. Nothing may follow. */
  final(): Buffer[] {
    const sealed: Buffer[] = [];
    this.#seal(this.#chunker.take(), true, sealed);
    return sealed;
  }

  #seal(chunk: Buffer, last: boolean, into: Buffer[]): void {
    const cipher = createCipheriv(CIPHER, this.#key, chunkNonce(this.#index++, last), CIPHER_OPTIONS);
    into.push(cipher.update(chunk));
    cipher.final();
    into.push(cipher.getAuthTag());
  }
}

/**
 * Opens a body front to back; every buffer given out has authenticated, as soon as it can. Raises E_CRYPTO, after which it must not
 * be used. Only when `final` has returned is it known that nothing was cut off.
 */
export class AgeStreamDecryptor {
  readonly #key: KeyObject;
  readonly #chunker = new Chunker(SEALED_CHUNK_BYTES, 0);
  #index = 0;
  #ended = false;

  constructor(streamKey: KeyObject) {
    this.#key = streamKey;
  }

  *update(sealed: Buffer): Generator<Buffer> {
    for (const chunk of this.#chunker.push(sealed)) yield this.#openFull(chunk);
  }

  /** What remains; empty where the last chunk was a full one and is out already. */
  final(): Buffer {
    const nothing = this.#chunker.heldBytes === 0;
    if (this.#ended && nothing) return Buffer.alloc(0);
    if (this.#ended) throw new BackroomError("E_CRYPTO", "bytes follow the encrypted body");
    return openChunk(this.#key, this.#index, true, this.#chunker.take());
  }

  /** A full chunk may be the last one: only its tag tells. */
  #openFull(chunk: Buffer): Buffer {
    if (this.#ended) throw new BackroomError("E_CRYPTO", "bytes follow the encrypted body");
    try {
      return openChunk(this.#key, this.#index++, false, chunk);
    } catch {
      const plain = openChunk(this.#key, this.#index - 1, true, chunk);
      this.#ended = true;
      return plain;
    }
  }
}
