import { readFileSync } from "node:fs";

/** One IPv4 packet of a capture, as far as it was captured. */
export interface Packet {
  readonly source: string;
  readonly target: string;
  /** 6 TCP, 17 UDP, 1 ICMP … */
  readonly protocol: number;
  /** What follows the IP header. */
  readonly payload: Buffer;
}

/**
 * Reads a classic pcap file of Ethernet frames (tcpdump -w): 24-byte header, then records of 16 bytes and a frame.
 * A capture that was cut off ends at its last whole record.
 */
export function readPcap(file: string): Packet[] {
  const bytes = readFileSync(file);
  const packets: Packet[] = [];
  if (bytes.length < 24) return packets;
  if (bytes.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error("not a little-endian pcap file");
  for (let at = 24; at + 16 <= bytes.length;) {
    const captured = bytes.readUInt32LE(at + 8);
    const frame = bytes.subarray(at + 16, at + 16 + captured);
    at += 16 + captured;
    if (frame.length < captured) break;
    const packet = ipv4Packet(frame);
    if (packet !== undefined) packets.push(packet);
  }
  return packets;
}

function ipv4Packet(frame: Buffer): Packet | undefined {
  if (frame.length < 34 || frame.readUInt16BE(12) !== 0x0800) return undefined;
  const headerLength = ((frame[14] as number) & 15) * 4;
  return {
    source: [...frame.subarray(26, 30)].join("."),
    target: [...frame.subarray(30, 34)].join("."),
    protocol: frame[23] as number,
    payload: frame.subarray(14 + headerLength),
  };
}
