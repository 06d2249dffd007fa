import type { Random } from "../base/random.ts";
import { sha256 } from "../crypto/hash.ts";
import { keysFromSecret, type KeyPair } from "../crypto/keys.ts";

/** A sharer's Ed25519 key for one share: it signs the sharer's own leases, which gates and downloaders prefer (PROTOCOL 8). */
export interface SharerKey {
  readonly keys: KeyPair;
  /** The 32 bytes to keep; `sharerKeyFromSeed` takes them. */
  readonly seed: Buffer;
  /** 16 bytes, as the link carries them. */
  readonly fingerprint: Buffer;
}

/** A fresh key. Never the same for two shares: links would then show that they come from one person. */
export function generateSharerKey(random: Random): SharerKey {
  return sharerKeyFromSeed(random.bytes(32));
}

/** Raises E_CRYPTO unless the seed has 32 bytes. */
export function sharerKeyFromSeed(seed: Uint8Array): SharerKey {
  const keys = keysFromSecret("ed25519", seed);
  return { keys, seed: Buffer.from(seed), fingerprint: sharerFingerprint(keys.publicBytes) };
}

/** PROTOCOL 4: the 16 bytes of a sharer's public key that a link carries. */
export function sharerFingerprint(publicBytes: Uint8Array): Buffer {
  return sha256(publicBytes).subarray(0, 16);
}
