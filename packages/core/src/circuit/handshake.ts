import type { KeyObject } from "node:crypto";
import { ByteReader } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import { equalBytes } from "../crypto/hash.ts";
import {
  agree,
  generateKeys,
  kemDecapsulate,
  kemEncapsulate,
  publicKeyFrom,
  type KeyPair,
} from "../crypto/keys.ts";
import {
  clientMac,
  clientSecrets,
  serverAuth,
  serverSecrets,
  streamCipher,
  type NtorContext,
} from "./ntor.ts";

/**
 * The handshake of PROTOCOL 6.1: ntor-v3 with an ephemeral ML-KEM-768 beside X25519. One round trip, for hops of a circuit and for
 * tunnels. Only the holder of the onion key can answer; recorded traffic stays closed to a quantum computer through the KEM.
 *
 *     client message   0    32   64   96     1280          1312   1344
 *                      | ID | B  | X  | ek … | parameters  | mac  |
 *     server reply     0    32     1120   1152         1184
 *                      | Y  | ct … | auth | parameters |
 */
export const PROTOCOL_ID = { hop: "backroom-hop-v1", tunnel: "backroom-tunnel-v1" } as const;
export type ProtocolId = (typeof PROTOCOL_ID)[keyof typeof PROTOCOL_ID];

export const CLIENT_MESSAGE_BYTES = 1344;
export const SERVER_REPLY_BYTES = 1184;

const KEY_BYTES = 32;
const KEM_PUBLIC_BYTES = 1184;
const KEM_CIPHERTEXT_BYTES = 1088;
const PARAMETER_BYTES = 32;
const VERSION = 1;

/** Forward is from the client, backward to it. Tunnels use the two data keys. */
export interface HandshakeKeys {
  readonly forwardData: Buffer;
  readonly backwardData: Buffer;
  readonly forwardControl: Buffer;
  readonly backwardControl: Buffer;
}

export interface ClientEphemeral {
  readonly dh: KeyPair;
  readonly kem: KeyPair;
}

/** What a server makes fresh for each handshake; tests fix it. */
export interface ServerEphemeral {
  readonly dh: KeyPair;
  encapsulate(publicKey: KeyObject): { shared: Buffer; ciphertext: Buffer };
}

interface ClientTarget {
  readonly protocolId: ProtocolId;
  readonly nodeId: Uint8Array;
  readonly onionKey: Uint8Array;
  readonly psk?: Uint8Array;
  /** Which hop of the circuit this is to be, from 1; 0 for a tunnel. Only this hop reads it. */
  readonly position: number;
}

interface ClientHello {
  readonly message: Buffer;
  /** Raises E_HANDSHAKE for any reply that is not the target's answer to this message. */
  finish(reply: Uint8Array): HandshakeKeys;
}

function newClientEphemeral(): ClientEphemeral {
  return { dh: generateKeys("x25519"), kem: generateKeys("ml-kem-768") };
}

function newServerEphemeral(): ServerEphemeral {
  return { dh: generateKeys("x25519"), encapsulate: kemEncapsulate };
}

/** The client's side. Raises E_HANDSHAKE when the target's onion key is no key. `ephemeral` is used once and never kept. */
export function clientHello(
  target: ClientTarget,
  ephemeral: ClientEphemeral = newClientEphemeral(),
): ClientHello {
  const context: NtorContext = {
    protocolId: target.protocolId,
    psk: target.psk ?? Buffer.alloc(0),
    nodeId: target.nodeId,
    onionKey: target.onionKey,
    clientPart: Buffer.concat([ephemeral.dh.publicBytes, ephemeral.kem.publicBytes]),
  };
  return failingAsOne(() => {
    const Bx = agree(ephemeral.dh.privateKey, publicKeyFrom("x25519", target.onionKey));
    const secrets = clientSecrets(context, Bx);
    const sealed = streamCipher(secrets.encryption, encodeParameters(target.position));
    const mac = clientMac(context, secrets, sealed);
    const message = Buffer.concat([context.nodeId, context.onionKey, context.clientPart, sealed, mac]);
    return { message, finish: (reply) => failingAsOne(() => finish(context, ephemeral, Bx, mac, reply)) };
  });
}

function finish(
  context: NtorContext,
  ephemeral: ClientEphemeral,
  Bx: Uint8Array,
  mac: Uint8Array,
  reply: Uint8Array,
): HandshakeKeys {
  const reader = new ByteReader(reply);
  const serverPart = reader.take(KEY_BYTES + KEM_CIPHERTEXT_BYTES);
  const auth = reader.take(KEY_BYTES);
  const sealed = reader.take(PARAMETER_BYTES);
  reader.end();
  const Xy = agree(ephemeral.dh.privateKey, publicKeyFrom("x25519", serverPart.subarray(0, KEY_BYTES)));
  const shared = kemDecapsulate(ephemeral.kem.privateKey, serverPart.subarray(KEY_BYTES));
  const secrets = serverSecrets(context, serverPart, [Xy, Bx, shared], 4 * KEY_BYTES);
  if (!equalBytes(serverAuth(context, serverPart, secrets.verify, mac, sealed), auth)) throw refused();
  decodeParameters(streamCipher(secrets.encryption, sealed));
  return splitKeys(secrets.keys);
}

interface ServerIdentity {
  readonly protocolId: ProtocolId;
  readonly nodeId: Uint8Array;
  /** The current onion key and those before it that still count. */
  readonly onionKeys: readonly KeyPair[];
  readonly psk?: Uint8Array;
}

interface ServerReply {
  readonly reply: Buffer;
  readonly keys: HandshakeKeys;
  readonly position: number;
}

/**
 * The server's side. Raises E_HANDSHAKE for a message to somebody else, under an unknown onion key, or that is not authentic. It costs
 * about half a millisecond of CPU: callers bound how often.
 */
export function serverReply(
  identity: ServerIdentity,
  message: Uint8Array,
  ephemeral: ServerEphemeral = newServerEphemeral(),
): ServerReply {
  return failingAsOne(() => {
    const reader = new ByteReader(message);
    const nodeId = reader.take(KEY_BYTES);
    const onionKey = reader.take(KEY_BYTES);
    const clientPart = reader.take(KEY_BYTES + KEM_PUBLIC_BYTES);
    const sealedParameters = reader.take(PARAMETER_BYTES);
    const mac = reader.take(KEY_BYTES);
    reader.end();
    const onion = identity.onionKeys.find((keys) => equalBytes(keys.publicBytes, onionKey));
    if (onion === undefined || !equalBytes(identity.nodeId, nodeId)) throw refused();
    const psk = identity.psk ?? Buffer.alloc(0);
    const context = { protocolId: identity.protocolId, psk, nodeId, onionKey, clientPart };

    const X = publicKeyFrom("x25519", clientPart.subarray(0, KEY_BYTES));
    const Bx = agree(onion.privateKey, X);
    const asked = clientSecrets(context, Bx);
    if (!equalBytes(clientMac(context, asked, sealedParameters), mac)) throw refused();
    const position = decodeParameters(streamCipher(asked.encryption, sealedParameters));

    const kem = ephemeral.encapsulate(publicKeyFrom("ml-kem-768", clientPart.subarray(KEY_BYTES)));
    const serverPart = Buffer.concat([ephemeral.dh.publicBytes, kem.ciphertext]);
    const shared = [agree(ephemeral.dh.privateKey, X), Bx, kem.shared];
    const secrets = serverSecrets(context, serverPart, shared, 4 * KEY_BYTES);
    const sealed = streamCipher(secrets.encryption, encodeParameters(0));
    const auth = serverAuth(context, serverPart, secrets.verify, mac, sealed);
    return { reply: Buffer.concat([serverPart, auth, sealed]), keys: splitKeys(secrets.keys), position };
  });
}

/** `u8 version ‖ u8 position ‖ zeros`. The zeros are not looked at: they are where a later version puts more. */
function encodeParameters(position: number): Buffer {
  const bytes = Buffer.alloc(PARAMETER_BYTES);
  bytes[0] = VERSION;
  bytes[1] = position;
  return bytes;
}

function decodeParameters(bytes: Buffer): number {
  if (bytes[0] !== VERSION) throw refused();
  return bytes[1] as number;
}

function splitKeys(keys: Buffer): HandshakeKeys {
  const at = (index: number): Buffer => keys.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES);
  return { forwardData: at(0), backwardData: at(1), forwardControl: at(2), backwardControl: at(3) };
}

function refused(cause?: unknown): BackroomError {
  return new BackroomError("E_HANDSHAKE", "the handshake was not completed", { cause });
}

/** Whatever goes wrong inside looks the same from outside: who probes a relay learns nothing from how it fails. */
function failingAsOne<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw refused(cause);
  }
}
