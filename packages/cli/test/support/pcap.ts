import { readFileSync } from "node:fs";
import { ipText } from "@backroom/core/base/ip-address.ts";

export const TCP = 6;
export const UDP = 17;
export const ICMP6 = 58;

/** One IP packet of a capture. Addresses are text, IPv6 in its canonical form. */
export interface Packet {
  readonly source: string;
  readonly target: string;
  /** IANA's number: TCP, UDP, ICMP … */
  readonly protocol: number;
  /** 0 where the protocol has none. */
  readonly sourcePort: number;
  readonly targetPort: number;
  /** Only for TCP. */
  readonly sequence: number;
  readonly isSyn: boolean;
  /** What follows the TCP or UDP header; for other protocols what follows the IP headers. */
  readonly payload: Buffer;
}

/** Bytes before the IP packet and where its EtherType is, by pcap link type: Ethernet, and Linux's two kinds for captures on every device. */
const LINKS: Readonly<Record<number, { readonly length: number; readonly typeAt: number }>> = {
  1: { length: 14, typeAt: 12 },
  113: { length: 16, typeAt: 14 },
  276: { length: 20, typeAt: 0 },
};

/**
 * Reads a classic pcap file (tcpdump -w): a header of 24 bytes, then records of 16 bytes and a frame. A capture that was cut off ends at its last
 * whole record. Raises for another kind of file, and for a packet that was captured only in part: what was not seen proves nothing.
 */
export function readPcap(file: string): Packet[] {
  const bytes = readFileSync(file);
  if (bytes.length < 24) return [];
  if (bytes.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error("not a little-endian pcap file");
  const link = LINKS[bytes.readUInt32LE(20)];
  if (link === undefined) throw new Error("a pcap file of a link type that is not known");
  const packets: Packet[] = [];
  for (let at = 24; at + 16 <= bytes.length;) {
    const captured = bytes.readUInt32LE(at + 8);
    if (captured < bytes.readUInt32LE(at + 12)) throw new Error("a packet was not captured whole");
    const frame = bytes.subarray(at + 16, at + 16 + captured);
    at += 16 + captured;
    if (frame.length < captured) break;
    const type = frame.readUInt16BE(link.typeAt);
    const packet = type === 0x0800 || type === 0x86dd ? ipPacket(frame.subarray(link.length)) : undefined;
    if (packet !== undefined) packets.push(packet);
  }
  return packets;
}

/** Raises RangeError for one that is shorter than it says. */
export function ipPacket(bytes: Buffer): Packet {
  return bytes.readUInt8(0) >> 4 === 4 ? ipv4Packet(bytes) : ipv6Packet(bytes);
}

function ipv4Packet(bytes: Buffer): Packet {
  const headerLength = (bytes.readUInt8(0) & 15) * 4;
  const [source, target] = [12, 16].map((at) => ipText(bytes.subarray(at, at + 4))) as [string, string];
  // Ethernet pads short packets.
  const body = bytes.subarray(headerLength, bytes.readUInt16BE(2));
  return { source, target, ...transport(bytes.readUInt8(9), body) };
}

const HOP_BY_HOP = 0;

function ipv6Packet(bytes: Buffer): Packet {
  const [source, target] = [8, 24].map((at) => ipText(bytes.subarray(at, at + 16))) as [string, string];
  let protocol = bytes.readUInt8(6);
  let body = bytes.subarray(40, 40 + bytes.readUInt16BE(4));
  if (protocol === HOP_BY_HOP) {
    protocol = body.readUInt8(0);
    body = body.subarray(8 + body.readUInt8(1) * 8);
  }
  return { source, target, ...transport(protocol, body) };
}

function transport(protocol: number, body: Buffer): Omit<Packet, "source" | "target"> {
  const none = { protocol, sourcePort: 0, targetPort: 0, sequence: 0, isSyn: false, payload: body };
  if (protocol !== TCP && protocol !== UDP) return none;
  const ports = { sourcePort: body.readUInt16BE(0), targetPort: body.readUInt16BE(2) };
  if (protocol === UDP) return { ...none, ...ports, payload: body.subarray(8) };
  return {
    ...none,
    ...ports,
    sequence: body.readUInt32BE(4),
    isSyn: (body.readUInt8(13) & 2) !== 0,
    payload: body.subarray((body.readUInt8(12) >> 4) * 4),
  };
}
