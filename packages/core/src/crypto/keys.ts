import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { BackroomError } from "../base/errors.ts";
import { asBuffer } from "../base/bytes.ts";

/**
 * Raw bytes on the wire, KeyObjects inside: passing raw key buffers to node:crypto costs 10 µs a call.
 * Every import of a public key that came from outside raises E_CRYPTO when the bytes are no key.
 */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  /** The public key's raw bytes: 32 for X25519 and Ed25519, 1184 for ML-KEM-768. */
  readonly publicBytes: Buffer;
}

type Algorithm = "x25519" | "ed25519" | "ml-kem-768";
const PKCS8_PREFIX = {
  x25519: Buffer.from("302e020100300506032b656e04220420", "hex"),
  ed25519: Buffer.from("302e020100300506032b657004220420", "hex"),
} as const;

/** A fresh key pair. Public bytes: 32 of X25519 and Ed25519, 1,184 of ML-KEM-768. */
export function generateKeys(algorithm: Algorithm): KeyPair {
  const { publicKey, privateKey } = generate(algorithm);
  return { publicKey, privateKey, publicBytes: rawPublicBytes(publicKey) };
}

function generate(algorithm: Algorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm === "x25519") return generateKeyPairSync("x25519");
  if (algorithm === "ed25519") return generateKeyPairSync("ed25519");
  return generateKeyPairSync("ml-kem-768");
}

/** A key pair from its 32 secret bytes (Ed25519 seed or X25519 scalar). */
export function keysFromSecret(algorithm: "x25519" | "ed25519", secret: Uint8Array): KeyPair {
  if (secret.length !== 32) throw new BackroomError("E_CRYPTO", "a secret key has the wrong length");
  const der = Buffer.concat([PKCS8_PREFIX[algorithm], secret]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey);
  return { publicKey, privateKey, publicBytes: rawPublicBytes(publicKey) };
}

/** The 32 secret bytes that `keysFromSecret` takes, for keeping an X25519 or Ed25519 key on disk. */
export function secretBytes(keys: KeyPair): Buffer {
  return keys.privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
}

/** From raw public bytes, as in `KeyPair.publicBytes`. Raises E_CRYPTO for what is none; a point of small order is found out by `agree`. */
export function publicKeyFrom(algorithm: Algorithm, raw: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: asBuffer(raw), format: "raw-public", asymmetricKeyType: algorithm });
  } catch (cause) {
    throw new BackroomError("E_CRYPTO", "a public key is malformed", { cause });
  }
}

function rawPublicBytes(key: KeyObject): Buffer {
  return key.export({ format: "raw-public" });
}

/** X25519. Raises E_CRYPTO for a point of small order: OpenSSL refuses the all-zero result. */
export function agree(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  try {
    return diffieHellman({ privateKey, publicKey });
  } catch (cause) {
    throw new BackroomError("E_CRYPTO", "key agreement failed", { cause });
  }
}

/** ML-KEM-768 (FIPS 203): 32 bytes shared, 1088 bytes of ciphertext. */
export function kemEncapsulate(publicKey: KeyObject): { shared: Buffer; ciphertext: Buffer } {
  const { sharedKey, ciphertext } = encapsulate(publicKey);
  return { shared: asBuffer(sharedKey), ciphertext: asBuffer(ciphertext) };
}

/** Implicit rejection: a ciphertext of the right length never fails, it gives an unrelated secret. */
export function kemDecapsulate(privateKey: KeyObject, ciphertext: Uint8Array): Buffer {
  try {
    return asBuffer(decapsulate(privateKey, ciphertext));
  } catch (cause) {
    throw new BackroomError("E_CRYPTO", "a key encapsulation is malformed", { cause });
  }
}

/** 64 bytes. */
export function signEd25519(privateKey: KeyObject, message: Uint8Array): Buffer {
  return sign(null, message, privateKey);
}

/** False for a signature of another length, too. */
export function verifyEd25519(publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, message, publicKey, signature);
}

/** Bytes as a key for AES or HMAC: node:crypto makes one of raw bytes at each call otherwise, which costs more than a small message does. */
export function secretKey(bytes: Uint8Array): KeyObject {
  return createSecretKey(bytes);
}
