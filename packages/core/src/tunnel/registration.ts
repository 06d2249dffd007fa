import type { Bencoded } from "../base/bencode.ts";
import { u48be } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import { equalBytes, sha256 } from "../crypto/hash.ts";
import { publicKeyFrom, signEd25519, verifyEd25519, type KeyPair } from "../crypto/keys.ts";
import { readBytes, readDict, readInteger } from "../directory/fields.ts";
import { KEY_BYTES, MOST_SECONDS, SEALED_LEASE_BYTES, SIGNATURE_BYTES, TAG_LENGTH } from "./lease.ts";
import { hasWork, WORK_BYTES } from "./proof-of-work.ts";
import { sharerFingerprint } from "../link/sharer-key.ts";
import { sharerCommitment, topicOf, type EpochKeys } from "./topic.ts";

const TOPIC_CONTEXT = Buffer.from("backroom register v1");
const SHARER_CONTEXT = Buffer.from("backroom sharer v1");

/** Why a gate should keep this lease: the sharer's proof, or work. */
export type Standing =
  | { readonly kind: "sharer"; readonly mark: Buffer; readonly sharerKey: Buffer; readonly signature: Buffer }
  | { readonly kind: "work"; readonly work: Buffer };

/** A seeder's question to the register service (PROTOCOL 8). `expirySeconds` is Unix time. */
export interface Registration {
  /** `A`, and `C` of the epoch's keys. */
  readonly topicKey: Buffer;
  readonly commitment: Buffer;
  readonly tag: Buffer;
  readonly sealedLease: Buffer;
  readonly expirySeconds: number;
  readonly signature: Buffer;
  readonly standing: Standing;
}

/** What both signatures cover. The gate's key is in it, so a registration is worth nothing at another gate. */
interface Signed {
  readonly gateKey: Uint8Array;
  readonly commitment: Buffer;
  readonly tag: Buffer;
  readonly expirySeconds: number;
  readonly sealedLease: Buffer;
}

/** Signs a registration: with the sharer's keys or with work that `solveWork` found for this topic and tag. */
export function makeRegistration(
  keys: EpochKeys,
  what: Omit<Signed, "commitment">,
  standing: { readonly sharerKeys: KeyPair } | { readonly work: Buffer },
): Registration {
  const signed: Signed = { ...what, commitment: keys.commitment };
  return {
    topicKey: keys.topicKeys.publicBytes,
    commitment: keys.commitment,
    tag: what.tag,
    sealedLease: what.sealedLease,
    expirySeconds: what.expirySeconds,
    signature: signEd25519(keys.topicKeys.privateKey, signedBytes(TOPIC_CONTEXT, signed)),
    standing:
      "work" in standing
        ? { kind: "work", work: standing.work }
        : {
            kind: "sharer",
            mark: keys.mark,
            sharerKey: standing.sharerKeys.publicBytes,
            signature: signEd25519(standing.sharerKeys.privateKey, signedBytes(SHARER_CONTEXT, signed)),
          },
  };
}

/** The fields of a question to the register service: `a c g l s x`, and `h m p` together or `w` alone. */
export function registrationFields(registration: Registration): { readonly [key: string]: Bencoded } {
  const { standing } = registration;
  const proof: { readonly [key: string]: Bencoded } =
    standing.kind === "work"
      ? { w: standing.work }
      : { m: standing.mark, p: standing.sharerKey, h: standing.signature };
  return {
    a: registration.topicKey,
    c: registration.commitment,
    g: registration.tag,
    l: registration.sealedLease,
    s: registration.signature,
    x: registration.expirySeconds,
    ...proof,
  };
}

/** Form only: raises E_BENCODE or E_LEASE. Nothing in it is to be believed before `checkRegistration`. */
export function decodeRegistration(bytes: Uint8Array): Registration {
  const fields = readDict(bytes, { required: "acglsx", optional: "hmpw" }, "E_LEASE");
  const bytesOf = (key: string, length: number): Buffer => readBytes(fields, key, length, "E_LEASE");
  const byWork = fields.has("w");
  if (fields.size !== (byWork ? 7 : 9)) throw refused("shows both proofs, or half of one");
  return {
    topicKey: bytesOf("a", KEY_BYTES),
    commitment: bytesOf("c", KEY_BYTES),
    tag: bytesOf("g", TAG_LENGTH),
    sealedLease: bytesOf("l", SEALED_LEASE_BYTES),
    signature: bytesOf("s", SIGNATURE_BYTES),
    expirySeconds: readInteger(fields, "x", MOST_SECONDS, "E_LEASE"),
    standing: byWork
      ? { kind: "work", work: bytesOf("w", WORK_BYTES) }
      : {
          kind: "sharer",
          mark: bytesOf("m", KEY_BYTES),
          sharerKey: bytesOf("p", KEY_BYTES),
          signature: bytesOf("h", SIGNATURE_BYTES),
        },
  };
}

/**
 * The gate's check: the topic key signed it for this gate, and it shows the sharer's proof or work. Returns the topic. Raises E_LEASE,
 * or E_CRYPTO for bytes that are no key. The cheap checks come first: work and mark cost one hash, a signature fifty.
 */
export function checkRegistration(registration: Registration, gateKey: Uint8Array): Buffer {
  const { standing } = registration;
  const topic = topicOf(registration.topicKey, registration.commitment);
  const signed: Signed = { ...registration, gateKey };
  if (standing.kind === "work") {
    if (!hasWork(topic, registration.tag, standing.work)) throw refused("shows no proof of work");
  } else {
    const commitment = sharerCommitment(sharerFingerprint(standing.sharerKey), standing.mark);
    if (!equalBytes(commitment, registration.commitment))
      throw refused("names a key that is not the sharer's");
    const sharerKey = publicKeyFrom("ed25519", standing.sharerKey);
    if (!verifyEd25519(sharerKey, signedBytes(SHARER_CONTEXT, signed), standing.signature)) {
      throw refused("is not signed by the sharer's key");
    }
  }
  const topicKey = publicKeyFrom("ed25519", registration.topicKey);
  if (!verifyEd25519(topicKey, signedBytes(TOPIC_CONTEXT, signed), registration.signature)) {
    throw refused("is not signed by the topic's key for this gate");
  }
  return topic;
}

function refused(why: string): BackroomError {
  return new BackroomError("E_LEASE", `a registration ${why}`);
}

/** `context ‖ 32 gate's node key ‖ 32 C ‖ 16 tag ‖ u48 expiry ‖ 32 SHA-256(sealed lease)`. */
function signedBytes(context: Buffer, signed: Signed): Buffer {
  return Buffer.concat([
    context,
    signed.gateKey,
    signed.commitment,
    signed.tag,
    u48be(signed.expirySeconds),
    sha256(signed.sealedLease),
  ]);
}
