import { ByteReader, u16be } from "../base/bytes.ts";
import { BackroomError, type ErrorCode } from "../base/errors.ts";
import { ipBytes, ipText, isMapped } from "../base/ip-address.ts";

/**
 * Addresses in links and invites (PROTOCOL 4):
 *
 *   place       u8 family (4 or 6) ‖ 4 or 16 address ‖ u16 port
 *   join relay  32 node key ‖ place
 */
export interface Place {
  /** An IP address (RFC 5952), never a name. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

/** A relay to fetch the directory through. Whether its address may be dialled is for the dialler to decide. */
export interface JoinRelay extends Place {
  /** Ed25519, 32 bytes. */
  readonly nodeKey: Buffer;
}

/** Raises `code` for a host that is no address, an IPv4 address in IPv6 form, and port 0. */
export function encodePlace(place: Place, code: ErrorCode): Buffer {
  const ip = ipBytes(place.host);
  if (ip === undefined || isMapped(ip)) throw new BackroomError(code, "an address is no IP address");
  if (!Number.isInteger(place.port) || place.port < 1 || place.port > 65_535) {
    throw new BackroomError(code, "a port is out of range");
  }
  return Buffer.concat([Buffer.from([ip.length === 4 ? 4 : 6]), ip, u16be(place.port)]);
}

/** Reads to the end of `reader`. Raises `code`. */
export function decodePlace(reader: ByteReader, code: ErrorCode): Place {
  const family = reader.u8();
  if (family !== 4 && family !== 6) throw new BackroomError(code, "an address is of an unknown family");
  const ip = reader.take(family === 4 ? 4 : 16);
  // One address has one encoding, so that nothing that looks at addresses can be got around.
  if (isMapped(ip)) throw new BackroomError(code, "an IPv4 address is written as an IPv6 one");
  const port = reader.u16();
  if (port === 0) throw new BackroomError(code, "a port is 0");
  reader.end();
  return { host: ipText(ip), port };
}

export function encodeJoinRelay(relay: JoinRelay, code: ErrorCode): Buffer {
  if (relay.nodeKey.length !== 32) throw new BackroomError(code, "a node key has the wrong length");
  return Buffer.concat([relay.nodeKey, encodePlace(relay, code)]);
}

export function decodeJoinRelay(value: Buffer, code: ErrorCode): JoinRelay {
  const reader = new ByteReader(value, code);
  const nodeKey = reader.take(32);
  return { nodeKey, ...decodePlace(reader, code) };
}
