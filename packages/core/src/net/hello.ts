import { ByteReader, u16be, u32be, u48be } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { publicKeyFrom, signEd25519, verifyEd25519, type KeyPair } from "../crypto/keys.ts";
import { FRAME, frameBody, makeFrame } from "./frame.ts";

/**
 * HELLO, the first frame of each side (PROTOCOL 5). The body, zeros to the end:
 *
 *     | version 1 | role | network id | time (s) |   relay only: | node key | signature | n   | relay info |
 *     | u8        | u8   | u32        | u48      |               | 32       | 64        | u16 | n          |
 *
 * The signature covers the TLS exporter, so it is worth nothing on any other connection: whoever stands in the middle has
 * two exporters and can use neither side's signature on the other.
 */
export interface Hello {
  readonly networkId: number;
  readonly timeS: number;
  /** Undefined for an anonymous client. `info` is empty when a relay has none to show. */
  readonly relay: { readonly nodeKey: Buffer; readonly signature: Buffer; readonly info: Buffer } | undefined;
}

/** Which end of the connection a HELLO comes from. */
export type Side = "initiator" | "responder";

const VERSION = 1;
const ROLE = { client: 0, relay: 1 } as const;
const PURPOSE = Buffer.from("backroom channel v1", "latin1");
/** The TLS exporter that the signature covers: 32 bytes under this label, empty context. */
export const EXPORTER_LABEL = "EXPORTER-backroom-channel-v1";
export const EXPORTER_BYTES = 32;

/** A whole HELLO frame. */
export function encodeHello(hello: Hello): Buffer {
  const { relay } = hello;
  const parts = [
    Buffer.from([VERSION, relay === undefined ? ROLE.client : ROLE.relay]),
    u32be(hello.networkId),
    u48be(hello.timeS),
    ...(relay === undefined ? [] : [relay.nodeKey, relay.signature, u16be(relay.info.length), relay.info]),
  ];
  const frame = makeFrame(FRAME.hello, 0);
  Buffer.concat(parts).copy(frameBody(frame));
  return frame;
}

/** Reads a whole HELLO frame. Raises E_CHANNEL for anything that `encodeHello` does not write. */
export function decodeHello(frame: Buffer): Hello {
  const reader = new ByteReader(frameBody(frame), "E_CHANNEL");
  if (reader.u8() !== VERSION) throw new BackroomError("E_CHANNEL", "the neighbour speaks another version");
  const role = reader.u8();
  if (role > ROLE.relay) throw new BackroomError("E_CHANNEL", "a HELLO names an unknown role");
  const networkId = reader.u32();
  const timeS = reader.u48();
  const relay = role === ROLE.client ? undefined : decodeRelay(reader);
  if (reader.take(reader.remaining).some((byte) => byte !== 0)) {
    throw new BackroomError("E_CHANNEL", "a HELLO does not end in zeros");
  }
  return { networkId, timeS, relay };
}

function decodeRelay(reader: ByteReader): NonNullable<Hello["relay"]> {
  const nodeKey = reader.take(32);
  const signature = reader.take(64);
  const length = reader.u16();
  if (length > LIMITS.relayInfoBytes)
    throw new BackroomError("E_CHANNEL", "a HELLO's relay info is too long");
  return { nodeKey, signature, info: reader.take(length) };
}

/** The HELLO that this side sends; without `identity` that of an anonymous client. */
export function ownHello(own: {
  readonly side: Side;
  readonly networkId: number;
  readonly nowMs: number;
  readonly exporter: Uint8Array;
  readonly identity?: { readonly nodeKeys: KeyPair; readonly info: Buffer } | undefined;
}): Hello {
  const { identity, networkId } = own;
  const timeS = Math.floor(own.nowMs / 1000);
  if (identity === undefined) return { networkId, timeS, relay: undefined };
  const signature = signEd25519(identity.nodeKeys.privateKey, signedBytes(own.side, networkId, own.exporter));
  return {
    networkId,
    timeS,
    relay: { nodeKey: identity.nodeKeys.publicBytes, signature, info: identity.info },
  };
}

/**
 * Checks the HELLO that came from `side`. Raises E_OTHER_NETWORK, E_CHANNEL_IDENTITY when another key than `expectedKey` answers,
 * or E_CHANNEL when the signature is wrong or a responder is anonymous.
 */
export function checkHello(
  hello: Hello,
  expected: {
    readonly side: Side;
    readonly networkId: number;
    readonly exporter: Uint8Array;
    readonly expectedKey?: Uint8Array | undefined;
  },
): void {
  if (hello.networkId !== expected.networkId) {
    throw new BackroomError("E_OTHER_NETWORK", "the neighbour is of another network");
  }
  const { relay } = hello;
  if (relay === undefined) {
    if (expected.side === "responder")
      throw new BackroomError("E_CHANNEL", "the neighbour did not prove its key");
    return;
  }
  if (expected.expectedKey !== undefined && !relay.nodeKey.equals(expected.expectedKey)) {
    throw new BackroomError("E_CHANNEL_IDENTITY", "another node answered");
  }
  const signed = signedBytes(expected.side, hello.networkId, expected.exporter);
  if (!verifyEd25519(publicKeyFrom("ed25519", relay.nodeKey), signed, relay.signature)) {
    throw new BackroomError("E_CHANNEL", "the neighbour's signature is wrong");
  }
}

function signedBytes(side: Side, networkId: number, exporter: Uint8Array): Buffer {
  return Buffer.concat([PURPOSE, Buffer.from([side === "initiator" ? 0 : 1]), u32be(networkId), exporter]);
}
