import type { KeyObject } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { Decrypter, Encrypter, type Identity, type Recipient, type Stanza } from "age-encryption";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { hkdf } from "../crypto/hash.ts";
import { secretKey } from "../crypto/keys.ts";
import { isIdentity, isRecipient } from "./age-keys.ts";
import { scryptIdentity, scryptRecipient } from "./age-scrypt.ts";
import type { PackSource } from "./source.ts";

/**
 * Start of an age v1 file (age specification, "File encryption"):
 *
 *   "age-encryption.org/v1\n"  stanzas, one a recipient  "--- " base64(HMAC) "\n"  ‖  16 nonce  ‖  body: see age-stream.ts
 *
 * Header by the `age-encryption` package; a recipient of ours beside the real ones sees the file key pass, because the
 * package encrypts the body in JavaScript, and that is the hot path.
 */
export type AgeLock =
  | { readonly recipients: readonly string[] }
  /** `scryptLogN` below the default is for tests. */
  | { readonly password: string; readonly scryptLogN?: number };

export type AgeKeys = { readonly identities: readonly string[] } | { readonly password: string };

export interface AgeHeader {
  /** Header and nonce: everything before the body. */
  readonly bytes: Buffer;
  /** Key of the body. */
  readonly streamKey: KeyObject;
}

const NONCE_BYTES = 16;
/** An encrypted body of nothing is one tag. */
const EMPTY_BODY_BYTES = 16;

/** A header with a fresh file key for `lock`. Raises E_RECIPIENT for texts that are no recipients, none, or too many. */
export async function createAgeHeader(lock: AgeLock, random: Random): Promise<AgeHeader> {
  const encrypter = new Encrypter();
  for (const recipient of recipientsOf(lock, random)) encrypter.addRecipient(recipient);
  let fileKey: Buffer | undefined;
  encrypter.addRecipient({
    wrapFileKey: (key) => {
      fileKey = Buffer.from(key);
      return [];
    },
  });
  // As a stream: given bytes, the package would collect them by way of a `Response`, for which Node loads a whole HTTP client (15 MiB).
  const sealedNothing = await buffer(await encrypter.encrypt(streamOfNothing()));
  if (fileKey === undefined) throw new BackroomError("E_INTERNAL", "the file key did not pass");
  const header = sealedNothing.subarray(0, sealedNothing.length - NONCE_BYTES - EMPTY_BODY_BYTES);
  // A nonce of our own: under the package's one, a chunk has been encrypted already.
  const nonce = random.bytes(NONCE_BYTES);
  return { bytes: Buffer.concat([header, nonce]), streamKey: streamKeyOf(fileKey, nonce) };
}

function streamOfNothing(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ start: (stream) => stream.close() });
}

function recipientsOf(lock: AgeLock, random: Random): (string | Recipient)[] {
  if ("password" in lock) {
    return [scryptRecipient(lock.password, lock.scryptLogN ?? LIMITS.ageScryptLogN, random)];
  }
  const { recipients } = lock;
  if (recipients.length === 0 || recipients.length > LIMITS.ageRecipients) {
    throw new BackroomError("E_RECIPIENT", "there are no recipients, or too many", {
      why: `a pack is sealed to 1 to ${LIMITS.ageRecipients} recipients`,
    });
  }
  const wrong = recipients.findIndex((text) => !isRecipient(text));
  if (wrong >= 0) throw new BackroomError("E_RECIPIENT", `recipient ${wrong + 1} is no age public key`);
  // Stanzas of both kinds in one header would make the post-quantum ones worth nothing.
  if (new Set(recipients.map((text) => text.startsWith("age1pq1"))).size > 1) {
    throw new BackroomError("E_RECIPIENT", "the recipients are of two kinds", {
      why: "a later quantum computer would open the pack through the age1… recipient, so age1pq1… would protect nobody",
      fix: "use recipients of one kind",
    });
  }
  return [...recipients];
}

/**
 * Finds and opens the header at the start of `source`, reading no more than LIMITS.ageHeaderBytes. Raises E_AGE_HEADER for
 * a malformed one, E_NO_KEY where no key fits, E_CRYPTO where it was changed.
 */
export async function openAgeHeader(
  source: PackSource,
  keys: AgeKeys,
  signal?: AbortSignal,
): Promise<AgeHeader> {
  const most = Math.min(source.length, LIMITS.ageHeaderBytes);
  for (let length = Math.min(4096, most); ; length = Math.min(length * 4, most)) {
    const start = await source.read(0, length, signal);
    const bodyAt = ageBodyOffset(start);
    if (bodyAt !== undefined) return await openHeaderBytes(start.subarray(0, bodyAt), keys);
    if (length === most) throw new BackroomError("E_AGE_HEADER", "the age header does not end");
  }
}

const LAST_LINE = Buffer.from("\n---");

/** Where the body starts, from the first bytes of an age file; undefined while there are too few. Raises nothing. */
export function ageBodyOffset(start: Buffer): number | undefined {
  const lastLine = start.indexOf(LAST_LINE);
  const end = lastLine < 0 ? -1 : start.indexOf(0x0a, lastLine + LAST_LINE.length);
  return end < 0 || end + 1 + NONCE_BYTES > start.length ? undefined : end + 1 + NONCE_BYTES;
}

/** The package compares the whole HMAC, so a short one fails there; but as a forgery, not as the malformed header that it is. */
const MAC_LINE = /\n--- [A-Za-z0-9+/]{43}\n$/;

/** Opens header and nonce that fill `bytes`; errors as for `openAgeHeader`. */
export async function openHeaderBytes(bytes: Buffer, keys: AgeKeys): Promise<AgeHeader> {
  const header = bytes.subarray(0, Math.max(0, bytes.length - NONCE_BYTES));
  if (!MAC_LINE.test(header.toString("latin1")))
    throw new BackroomError("E_AGE_HEADER", "the age header is malformed");
  const decrypter = new Decrypter();
  const parsed = new HeaderWitness();
  // First and last in the package's order: the one sees that the header parses, the other that no key fits.
  decrypter.addIdentity(parsed);
  for (const identity of identitiesOf(keys)) decrypter.addIdentity(identity);
  decrypter.addIdentity({ unwrapFileKey: () => Promise.reject(noKey(parsed.stanzas, keys)) });
  const nonce = bytes.subarray(bytes.length - NONCE_BYTES);
  try {
    const fileKey = await decrypter.decryptHeader(header);
    return { bytes, streamKey: streamKeyOf(fileKey, nonce) };
  } catch (cause) {
    if (isBackroomError(cause)) throw cause;
    if (cause instanceof Error && cause.message === "invalid header HMAC") {
      throw new BackroomError("E_CRYPTO", "the age header was changed", { cause });
    }
    throw new BackroomError("E_AGE_HEADER", "the age header is malformed", { cause });
  }
}

class HeaderWitness implements Identity {
  stanzas: readonly Stanza[] = [];

  unwrapFileKey(stanzas: Stanza[]): null {
    // Twice what we write: tools add one of no meaning, so that readers do not rely on the count.
    if (stanzas.length > 2 * LIMITS.ageRecipients)
      throw new BackroomError("E_AGE_HEADER", "the header has too many stanzas");
    this.stanzas = stanzas;
    return null;
  }
}

function identitiesOf(keys: AgeKeys): (string | Identity)[] {
  if ("password" in keys) return [scryptIdentity(keys.password)];
  if (keys.identities.length > LIMITS.ageIdentities)
    throw new BackroomError("E_KEY_FILE", "there are too many identities");
  if (!keys.identities.every(isIdentity)) throw new BackroomError("E_KEY_FILE", "a text is no age identity");
  return [...keys.identities];
}

/** The header is not authenticated at this point, so what it says only chooses the advice. */
function noKey(stanzas: readonly Stanza[], keys: AgeKeys): BackroomError {
  const byPassword = stanzas.some(({ args }) => args[0] === "scrypt");
  if (byPassword && !("password" in keys)) {
    return new BackroomError("E_NO_KEY", "the pack opens with a password", { fix: "give the password" });
  }
  if (byPassword) {
    return new BackroomError("E_NO_KEY", "the password does not open the pack", {
      fix: "check the password",
    });
  }
  return new BackroomError("E_NO_KEY", "the pack was sealed to other keys", {
    fix: "give the key file of one of those it was sealed to",
  });
}

function streamKeyOf(fileKey: Uint8Array, nonce: Buffer): KeyObject {
  return secretKey(hkdf(fileKey, nonce, "payload"));
}
