import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import { BackroomError } from "../base/errors.ts";

/** AES-256-GCM with 12-byte nonces and 16-byte tags: the AEAD of everything but the pack (which is age's). */
export const TAG_BYTES = 16;

/** Returns ciphertext ‖ tag. The caller never uses a nonce twice under one key. */
export function sealAead(key: KeyObject, nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  if (aad !== undefined) cipher.setAAD(aad);
  const body = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([body, cipher.getAuthTag()]);
}

/** Opens ciphertext ‖ tag. One error for every failure, so that nobody learns why. */
export function openAead(key: KeyObject, nonce: Uint8Array, sealed: Uint8Array, aad?: Uint8Array): Buffer {
  if (sealed.length < TAG_BYTES) throw new BackroomError("E_CRYPTO", "sealed data is too short");
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  if (aad !== undefined) decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const body = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    throw new BackroomError("E_CRYPTO", "sealed data did not authenticate", { cause });
  }
  return body;
}

/** The 12-byte nonce of message number `counter` in one direction under one key. */
export function counterNonce(counter: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(counter, 6, 6);
  return nonce;
}
