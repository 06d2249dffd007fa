import { ByteReader, u16be, u32be } from "../../base/bytes.ts";
import { BackroomError } from "../../base/errors.ts";
import { ipBytes } from "../../base/ip-address.ts";

/**
 * NAT-PMP (RFC 6886) and its successor PCP (RFC 6887), as far as asking for one TCP port goes. Both live at one port of the gateway and tell
 * each other apart by the first byte.
 *
 *     NAT-PMP   → u8 0 ‖ u8 2 ‖ u16 0 ‖ u16 internal ‖ u16 external ‖ u32 lifetime                                            12
 *               ← u8 0 ‖ u8 130 ‖ u16 result ‖ u32 epoch ‖ u16 internal ‖ u16 external ‖ u32 lifetime                         16
 *     PCP MAP   → u8 2 ‖ u8 1 ‖ u16 0 ‖ u32 lifetime ‖ 16 own address ‖ 12 nonce ‖ u8 6 ‖ 3 zeros ‖ u16 internal ‖ u16 external ‖ 16 any   60
 *               ← u8 2 ‖ u8 129 ‖ u8 0 ‖ u8 result ‖ u32 lifetime ‖ u32 epoch ‖ 12 zeros ‖ 12 nonce ‖ u8 6 ‖ … as above        60, or options behind it
 */
export const PMP_PORT = 5351;

/** A port of the gateway's that it hands on to us, for so long. `lifetimeS` is 0 for one that was given up. */
export interface Granted {
  readonly externalPort: number;
  readonly lifetimeS: number;
}

export interface MapRequest {
  readonly internalPort: number;
  /** The port wished for. */
  readonly externalPort: number;
  /** 0 gives the mapping up. */
  readonly lifetimeS: number;
}

export const PCP_NONCE_BYTES = 12;
const TCP = 6;
const PCP_BYTES = 60;
const PCP_MOST_BYTES = 1100;
const PMP_MAP_TCP = 2;
const PCP_MAP = 1;
const RESPONSE = 0x80;
/** Both name so a version that the gateway does not speak. */
const UNSUPPORTED_VERSION = 1;

export function encodePmpRequest({ internalPort, externalPort, lifetimeS }: MapRequest): Buffer {
  return Buffer.concat([
    Buffer.of(0, PMP_MAP_TCP, 0, 0),
    u16be(internalPort),
    u16be(externalPort),
    u32be(lifetimeS),
  ]);
}

/** Raises E_DECODE for anything but a gateway's consent to that request. */
export function decodePmpResponse(bytes: Buffer, request: MapRequest): Granted {
  const reader = new ByteReader(bytes, "E_DECODE");
  if (bytes.length !== 16 || reader.u8() !== 0 || reader.u8() !== (RESPONSE | PMP_MAP_TCP)) throw malformed();
  if (reader.u16() !== 0) throw refused();
  reader.u32();
  if (reader.u16() !== request.internalPort) throw malformed();
  return granted(reader.u16(), reader.u32(), request);
}

/** `nonce` is 12 bytes, the same for all requests about one mapping; `ownHost` is this computer's IPv4 address on that network. */
export function encodePcpRequest(request: MapRequest, nonce: Buffer, ownHost: string): Buffer {
  return Buffer.concat([
    Buffer.of(2, PCP_MAP, 0, 0),
    u32be(request.lifetimeS),
    mapped(ownHost),
    nonce,
    Buffer.of(TCP, 0, 0, 0),
    u16be(request.internalPort),
    u16be(request.externalPort),
    mapped("0.0.0.0"),
  ]);
}

/** "other version" where the gateway speaks NAT-PMP only. Raises E_DECODE for anything but that or a consent to that request. */
export function decodePcpResponse(
  bytes: Buffer,
  request: MapRequest,
  nonce: Buffer,
): Granted | "other version" {
  const reader = new ByteReader(bytes, "E_DECODE");
  const version = reader.u8();
  const code = reader.u8();
  if (version === 0) {
    if (bytes.length > PCP_BYTES || reader.u16() !== UNSUPPORTED_VERSION) throw malformed();
    return "other version";
  }
  if (version !== 2 || code !== (RESPONSE | PCP_MAP) || bytes.length > PCP_MOST_BYTES) throw malformed();
  reader.u8();
  const result = reader.u8();
  if (result === UNSUPPORTED_VERSION) return "other version";
  if (result !== 0) throw refused();
  const lifetimeS = reader.u32();
  reader.take(16);
  const about = [reader.take(PCP_NONCE_BYTES).equals(nonce), reader.u8() === TCP];
  reader.take(3);
  if (reader.u16() !== request.internalPort || about.includes(false)) throw malformed();
  const externalPort = reader.u16();
  reader.take(16);
  return granted(externalPort, lifetimeS, request);
}

function granted(externalPort: number, lifetimeS: number, request: MapRequest): Granted {
  // Port 0 and no time are what a gateway answers to giving up, and nothing else.
  if (request.lifetimeS > 0 && (externalPort === 0 || lifetimeS === 0)) throw malformed();
  return { externalPort, lifetimeS };
}

/** An IPv4 address in IPv6 form. */
function mapped(host: string): Buffer {
  const ip = ipBytes(host);
  if (ip?.length !== 4) throw new BackroomError("E_DECODE", "an address is no IPv4 address");
  return Buffer.concat([Buffer.alloc(10), Buffer.of(255, 255), ip]);
}

function malformed(): BackroomError {
  return new BackroomError("E_DECODE", "a gateway's answer does not have the form of one to this request");
}

function refused(): BackroomError {
  return new BackroomError("E_REFUSED", "the gateway hands on no port");
}
