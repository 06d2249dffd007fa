import type { KeyObject } from "node:crypto";
import { hmacSha256 } from "../crypto/hash.ts";
import { secretKey } from "../crypto/keys.ts";

/** PROTOCOL 6.2: frames under one AES key. Far below what GCM allows; what was sent before stays closed to who breaks in later. */
export const RATCHET_FRAMES = 65_536;
const NONCE_BYTES = 12;

/**
 * One direction's keys: a hash chain that gives one AES key after another, and the nonce that counts frames under the current one.
 * Only a fresh key starts the count anew, so no nonce is ever used twice.
 */
export class KeyChain {
  readonly #ratchetFrames: number;
  #chain: Buffer;
  #key: KeyObject;
  #count = 0;
  /** One buffer for all nonces: node:crypto copies it when a cipher is made. */
  readonly #nonce = Buffer.alloc(NONCE_BYTES);

  /** Takes over `chain` (32 bytes). `ratchetFrames` is for tests that cannot send 65,536 frames. */
  constructor(chain: Buffer, ratchetFrames = RATCHET_FRAMES) {
    this.#ratchetFrames = ratchetFrames;
    this.#chain = chain;
    this.#key = this.#step();
  }

  /** The key for the next frame; call before each `nonce()`. */
  key(): KeyObject {
    if (this.#count === this.#ratchetFrames) {
      this.#key = this.#step();
      this.#count = 0;
    }
    return this.#key;
  }

  /** The next nonce, valid until the next call. */
  nonce(): Buffer {
    this.#nonce.writeUInt32BE(this.#count, NONCE_BYTES - 4);
    this.#count++;
    return this.#nonce;
  }

  #step(): KeyObject {
    const chain = secretKey(this.#chain);
    const key = secretKey(hmacSha256(chain, Buffer.from("key")));
    const next = hmacSha256(chain, Buffer.from("next"));
    this.#chain.fill(0);
    this.#chain = next;
    return key;
  }
}
