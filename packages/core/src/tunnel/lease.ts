import { encodeBencode, type Bencoded, type BencodedValue } from "../base/bencode.ts";
import { ByteReader, u16be } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { openAead, sealAead, TAG_BYTES } from "../crypto/aead.ts";
import { equalBytes } from "../crypto/hash.ts";
import { publicKeyFrom, signEd25519, verifyEd25519, type KeyPair } from "../crypto/keys.ts";
import { readBytes, readDict, readInteger, readList } from "../directory/fields.ts";
import { sharerFingerprint } from "../link/sharer-key.ts";
import type { EpochKeys } from "./topic.ts";

const CONTEXT = Buffer.from("backroom lease v1");
const NONCE_BYTES = 12;
/** Expiry is a u48 in a registration's signature. */
export const MOST_SECONDS = 2 ** 48 - 1;
const MOST_GATES = 3;
export const KEY_BYTES = 32;
export const TAG_LENGTH = 16;
export const SIGNATURE_BYTES = 64;
/** Every sealed lease, so that its length says nothing about what is inside. */
export const SEALED_LEASE_BYTES = NONCE_BYTES + LIMITS.leaseBytes + TAG_BYTES;

/** One gate at which the seeder can be reached: the gate's whole signed relay info, and the tag it knows the seeder by. */
export interface LeaseGate {
  readonly info: Buffer;
  readonly tag: Buffer;
}

/** A seeder's signed note (PROTOCOL 8). `expirySeconds` is Unix time. */
export interface Lease {
  readonly gates: readonly LeaseGate[];
  readonly tunnelKey: Buffer;
  readonly leaseKey: Buffer;
  readonly expirySeconds: number;
  readonly signature: Buffer;
}

/** What a seeder puts into its leases: kept for one run, so that peers recognise it under its lease key. */
export interface SeederKeys {
  /** Ed25519: the sharer's key in the sharer's leases, a fresh one for everybody else. */
  readonly leaseKeys: KeyPair;
  /** X25519. */
  readonly tunnelKeys: KeyPair;
}

/** Signed by the lease key for this topic. One to three gates; `expirySeconds` is Unix time. */
export function makeLease(
  topic: Uint8Array,
  keys: SeederKeys,
  gates: readonly LeaseGate[],
  expirySeconds: number,
): Lease {
  const unsigned = {
    gates,
    tunnelKey: keys.tunnelKeys.publicBytes,
    leaseKey: keys.leaseKeys.publicBytes,
    expirySeconds,
  };
  return { ...unsigned, signature: signEd25519(keys.leaseKeys.privateKey, signedBytes(topic, unsigned)) };
}

/** `d g(gates) k(tunnel key) l(lease key) s(signature) x(expiry) e`, canonical bencode. */
export function encodeLease(lease: Lease): Buffer {
  return encodeBencode({ ...fieldsOf(lease), s: lease.signature });
}

/**
 * Raises E_BENCODE or E_LEASE for another form, and E_LEASE where the signature is not the lease key's for this topic.
 * Relay infos inside are not looked at: `readRelayInfo` of whoever dials does that.
 */
export function decodeLease(bytes: Uint8Array, topic: Uint8Array): Lease {
  const fields = readDict(bytes, { required: "gklsx", optional: "" }, "E_LEASE");
  const gates = readList(fields, "g", MOST_GATES, "E_LEASE").map(gateOf);
  if (gates.length === 0) throw malformed("names no gate");
  const lease = {
    gates,
    tunnelKey: readBytes(fields, "k", KEY_BYTES, "E_LEASE"),
    leaseKey: readBytes(fields, "l", KEY_BYTES, "E_LEASE"),
    signature: readBytes(fields, "s", SIGNATURE_BYTES, "E_LEASE"),
    expirySeconds: readInteger(fields, "x", MOST_SECONDS, "E_LEASE"),
  };
  const leaseKey = publicKeyFrom("ed25519", lease.leaseKey);
  if (!verifyEd25519(leaseKey, signedBytes(topic, lease), lease.signature)) {
    throw malformed("is not signed by its own key for this topic");
  }
  return lease;
}

/** `12 nonce ‖ AES-256-GCM(u16 length ‖ lease ‖ zeros: 2,048 in all) ‖ 16 GCM tag`, additional data = topic. */
export function sealLease(keys: EpochKeys, lease: Lease, random: Random): Buffer {
  const encoded = encodeLease(lease);
  if (encoded.length > LIMITS.leaseBytes - 2) throw malformed("is too long to seal");
  const padded = Buffer.alloc(LIMITS.leaseBytes);
  u16be(encoded.length).copy(padded, 0);
  encoded.copy(padded, 2);
  const nonce = random.bytes(NONCE_BYTES);
  return Buffer.concat([nonce, sealAead(keys.sealingKey, nonce, padded, keys.topic)]);
}

/**
 * Opens and checks a sealed lease that a gate or peer handed over. Raises E_LEASE when it is over or runs longer than any lease may,
 * E_CRYPTO when the seal is another epoch's or share's, and what `decodeLease` raises.
 */
export function openLease(keys: EpochKeys, sealed: Uint8Array, nowMs: number): Lease {
  const reader = new ByteReader(sealed, "E_LEASE");
  const nonce = reader.take(NONCE_BYTES);
  const padded = openAead(keys.sealingKey, nonce, reader.take(reader.remaining), keys.topic);
  const inner = new ByteReader(padded, "E_LEASE");
  const lease = decodeLease(inner.take(inner.u16()), keys.topic);
  const leftMs = lease.expirySeconds * 1000 - nowMs;
  if (leftMs <= -LIMITS.leaseSkewMs || leftMs > LIMITS.leaseLifetimeMs + LIMITS.leaseSkewMs) {
    throw malformed("is over, or runs longer than leases may");
  }
  return lease;
}

/** True for a lease under the sharer's own key: those are tried first, since nobody else can make them. */
export function isSharersLease(lease: Lease, fingerprint: Uint8Array): boolean {
  return equalBytes(sharerFingerprint(lease.leaseKey), fingerprint);
}

function signedBytes(topic: Uint8Array, lease: Omit<Lease, "signature">): Buffer {
  return Buffer.concat([CONTEXT, topic, encodeBencode(fieldsOf(lease))]);
}

function fieldsOf(lease: Omit<Lease, "signature">): { readonly [key: string]: Bencoded } {
  return {
    g: lease.gates.map((gate) => [gate.info, gate.tag]),
    k: lease.tunnelKey,
    l: lease.leaseKey,
    x: lease.expirySeconds,
  };
}

function gateOf(value: BencodedValue): LeaseGate {
  const [info, tag, more] = Array.isArray(value) ? value : [];
  const formed =
    Buffer.isBuffer(info) &&
    info.length <= LIMITS.relayInfoBytes &&
    Buffer.isBuffer(tag) &&
    tag.length === TAG_LENGTH &&
    more === undefined;
  if (!formed) throw malformed("has a gate of the wrong form");
  return { info, tag };
}

function malformed(what: string): BackroomError {
  return new BackroomError("E_LEASE", `a lease ${what}`);
}
