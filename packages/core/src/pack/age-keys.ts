import { bech32 } from "@scure/base";
import { identityToRecipient } from "age-encryption";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { keysFromSecret } from "../crypto/keys.ts";

/**
 * age's own key texts: `AGE-SECRET-KEY-1…` (X25519), `AGE-SECRET-KEY-PQ-1…` (ML-KEM-768 with X25519), and their
 * recipients `age1…` and `age1pq1…`. A read link holds the 32 bytes of an X25519 identity instead of its text.
 */
export interface AgeIdentity {
  /** The X25519 scalar, 32 bytes, as a read link holds it (PROTOCOL 4). */
  readonly secret: Buffer;
  /** `AGE-SECRET-KEY-1…`, as `age -i` takes it. */
  readonly identity: string;
  /** `age1…` */
  readonly recipient: string;
}

const IDENTITY_PREFIX = "AGE-SECRET-KEY-";
const HYBRID_PREFIX = "AGE-SECRET-KEY-PQ-";

/** A fresh X25519 identity: one for every share. */
export function generateIdentity(random: Random): AgeIdentity {
  return identityFromSecret(random.bytes(32));
}

/** The identity of 32 secret bytes. Raises E_CRYPTO for another length. */
export function identityFromSecret(secret: Uint8Array): AgeIdentity {
  const { publicBytes } = keysFromSecret("x25519", secret);
  return {
    secret: Buffer.from(secret),
    identity: bech32.encodeFromBytes(IDENTITY_PREFIX, secret).toUpperCase(),
    recipient: bech32.encodeFromBytes("age", publicBytes),
  };
}

/** True for the text of a whole X25519 or hybrid identity, checksum and all. */
export function isIdentity(text: string): boolean {
  const decoded = bech32.decodeUnsafe(text, 120);
  if (decoded === undefined || text !== text.toUpperCase()) return false;
  const prefix = decoded.prefix.toUpperCase();
  return (prefix === IDENTITY_PREFIX || prefix === HYBRID_PREFIX) && dataLength(decoded.words) === 32;
}

/** True for the text of a whole X25519 or hybrid recipient. Hardware-bound kinds (`age1tag…`) have no identity that we could take. */
export function isRecipient(text: string): boolean {
  const decoded = bech32.decodeUnsafe(text, false);
  if (decoded === undefined || text !== text.toLowerCase()) return false;
  const length = dataLength(decoded.words);
  return (decoded.prefix === "age" && length === 32) || (decoded.prefix === "age1pq" && length === 1216);
}

/** undefined where the spare bits are not zero. */
function dataLength(words: number[]): number | undefined {
  const bytes = bech32.fromWordsUnsafe(words);
  return bytes === undefined ? undefined : bytes.length;
}

/** The recipient of an identity's text, of either kind. Raises E_KEY_FILE for text that is no identity. */
export async function recipientOf(identity: string): Promise<string> {
  if (!isIdentity(identity)) throw new BackroomError("E_KEY_FILE", "a text is no age identity");
  return await identityToRecipient(identity);
}

/** The identities of a key file as `age -i` takes it: one a line, `#` comments and empty lines between. Raises E_KEY_FILE. */
export function parseKeyFile(text: string): string[] {
  if (Buffer.byteLength(text) > LIMITS.ageKeyFileBytes) {
    throw new BackroomError("E_KEY_FILE", "the key file is too long");
  }
  const identities: string[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/\r$/, "");
    if (line === "" || line.startsWith("#")) continue;
    // The line itself is not shown: it may be a key with one letter wrong.
    if (!isIdentity(line))
      throw new BackroomError("E_KEY_FILE", `line ${index + 1} of the key file is no age identity`);
    identities.push(line);
  }
  if (identities.length === 0) throw new BackroomError("E_KEY_FILE", "the key file holds no identity");
  if (identities.length > LIMITS.ageIdentities) {
    throw new BackroomError("E_KEY_FILE", "the key file holds too many identities");
  }
  return identities;
}

/** A key file of one identity, with the comments that age-keygen writes. Raises E_KEY_FILE for text that is no identity. */
export async function formatKeyFile(identity: string, createdMs: number): Promise<string> {
  const recipient = await recipientOf(identity);
  const created = new Date(createdMs).toISOString().replace(/\.\d+Z$/, "Z");
  return `# created: ${created}\n# public key: ${recipient}\n${identity}\n`;
}
