import { createHash, createHmac, hash, hkdfSync, timingSafeEqual, type KeyObject } from "node:crypto";
import { secretKey } from "./keys.ts";

/** Of the parts one after the other: 32 bytes. */
export function sha256(...parts: Uint8Array[]): Buffer {
  if (parts.length === 1) return hash("sha256", parts[0] as Uint8Array, "buffer");
  const hasher = createHash("sha256");
  for (const part of parts) hasher.update(part);
  return hasher.digest();
}

/** HKDF-SHA-256 (RFC 5869). `info` is ASCII text, with the version in it. */
export function hkdf(secret: Uint8Array, salt: Uint8Array, info: string, length = 32): Buffer {
  return Buffer.from(hkdfSync("sha256", secretKey(secret), salt, info, length));
}

/** A key that serves twice is made once: node:crypto makes one of raw bytes at each call, and throws twice inside before it does. */
export function hmacSha256(key: KeyObject, message: Uint8Array): Buffer {
  return createHmac("sha256", key).update(message).digest();
}

/** Constant-time equality of two byte strings whose lengths are public. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
