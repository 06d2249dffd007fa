import { createCipheriv, createHash } from "node:crypto";
import { u64be } from "../base/bytes.ts";
import { secretKey } from "../crypto/keys.ts";

/**
 * The transcript of ntor-v3 (Tor proposal 332, sections "Client operation" to "Client operation, phase 2", instantiation A.1): what is
 * hashed, in which order. It knows no curve and no KEM. With public parts that are bare X25519 keys it is the proposal to the byte,
 * and the proposal's own test vector holds it to that; `handshake.ts` puts ML-KEM beside X25519 (PROTOCOL 6.1).
 */
export interface NtorContext {
  /** Names the use, so that no message of one use is valid in another. */
  readonly protocolId: string;
  /** A secret that both sides must know, "VER" of the proposal: empty for hops, the topic's for tunnels. */
  readonly psk: Uint8Array;
  readonly nodeId: Uint8Array;
  readonly onionKey: Uint8Array;
  /** The client's ephemeral public part, `CX`. */
  readonly clientPart: Uint8Array;
}

interface ClientSecrets {
  readonly encryption: Buffer;
  readonly mac: Buffer;
}

const KEY_BYTES = 32;

/** `Bx` is the agreement of the client's ephemeral key with the onion key. */
export function clientSecrets(context: NtorContext, Bx: Uint8Array): ClientSecrets {
  const { protocolId, psk, nodeId, onionKey, clientPart } = context;
  const secret = [Bx, nodeId, clientPart, onionKey, Buffer.from(protocolId), encap(psk)];
  const keys = expand(context, "kdf_phase1", secret, 2 * KEY_BYTES);
  return { encryption: keys.subarray(0, KEY_BYTES), mac: keys.subarray(KEY_BYTES) };
}

/** `mac` of the client message: over everything in front of it. `sealed` is the encrypted client parameters. */
export function clientMac(context: NtorContext, secrets: ClientSecrets, sealed: Uint8Array): Buffer {
  const { nodeId, onionKey, clientPart } = context;
  return digest(context, "msg_mac", [encap(secrets.mac), nodeId, onionKey, clientPart, sealed]);
}

interface ServerSecrets {
  readonly verify: Buffer;
  readonly encryption: Buffer;
  /** The key stream's first `keyBytes` bytes. */
  readonly keys: Buffer;
}

/** `shared` is every secret agreed on, in order: `Xy`, `Bx`, and the KEM's. `serverPart` is `SY`. */
export function serverSecrets(
  context: NtorContext,
  serverPart: Uint8Array,
  shared: readonly Uint8Array[],
  keyBytes: number,
): ServerSecrets {
  const { protocolId, psk, nodeId, onionKey, clientPart } = context;
  const publics = [nodeId, onionKey, clientPart, serverPart, Buffer.from(protocolId), encap(psk)];
  const secret = [...shared, ...publics];
  const seed = digest(context, "key_seed", secret);
  const stream = expand(context, "kdf_final", [seed], KEY_BYTES + keyBytes);
  return {
    verify: digest(context, "verify", secret),
    encryption: stream.subarray(0, KEY_BYTES),
    keys: stream.subarray(KEY_BYTES),
  };
}

/** `auth` of the server's reply: only who holds the onion key (and the psk) can make it. */
export function serverAuth(
  context: NtorContext,
  serverPart: Uint8Array,
  verify: Uint8Array,
  mac: Uint8Array,
  sealed: Uint8Array,
): Buffer {
  const { protocolId, nodeId, onionKey, clientPart } = context;
  const publics = [nodeId, onionKey, serverPart, clientPart, mac, encap(sealed)];
  return digest(context, "auth_final", [verify, ...publics, Buffer.from(protocolId), Buffer.from("Server")]);
}

/** `ENC`: its own inverse. Every key is used for one message, so the IV may be zero. */
export function streamCipher(key: Uint8Array, message: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-ctr", secretKey(key), Buffer.alloc(16));
  return Buffer.concat([cipher.update(message), cipher.final()]);
}

function digest(context: NtorContext, name: string, parts: readonly Uint8Array[]): Buffer {
  return hashParts(createHash("sha3-256"), context, name, parts);
}

function expand(context: NtorContext, name: string, parts: readonly Uint8Array[], length: number): Buffer {
  return hashParts(createHash("shake256", { outputLength: length }), context, name, parts);
}

function hashParts(
  hasher: ReturnType<typeof createHash>,
  context: NtorContext,
  name: string,
  parts: readonly Uint8Array[],
): Buffer {
  hasher.update(encap(Buffer.from(`${context.protocolId}:${name}`)));
  for (const part of parts) hasher.update(part);
  return hasher.digest();
}

function encap(bytes: Uint8Array): Buffer {
  return Buffer.concat([u64be(bytes.length), bytes]);
}
