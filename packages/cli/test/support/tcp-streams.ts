import { TCP, type Packet } from "./pcap.ts";

/** One direction of one TCP connection, as far as it was seen. */
export interface TcpStream {
  readonly source: string;
  readonly sourcePort: number;
  readonly target: string;
  readonly targetPort: number;
  readonly bytes: Buffer;
  /** Something before what was seen last was not: bytes that nobody looked at. */
  readonly hasGap: boolean;
}

interface Segments {
  readonly syn: Packet;
  /** By offset in the stream; the longest of those sent more than once. */
  readonly parts: Map<number, Buffer>;
}

/** Puts the segments of every connection in order, those sent twice once. Segments before any SYN are given as streams with a gap. */
export function tcpStreams(packets: readonly Packet[]): TcpStream[] {
  const open = new Map<string, Segments>();
  const all: Segments[] = [];
  for (const packet of packets) {
    // Whoever is dialled in vain answers with a reset, which is no stream.
    if (packet.protocol !== TCP || (packet.payload.length === 0 && !packet.isSyn)) continue;
    const name = `${packet.source} ${packet.sourcePort} ${packet.target} ${packet.targetPort}`;
    let segments = open.get(name);
    // Ports are used again: another first number is another connection.
    const isNew = packet.isSyn && segments?.syn.sequence !== packet.sequence;
    if (segments === undefined || isNew) {
      segments = { syn: packet, parts: new Map() };
      open.set(name, segments);
      all.push(segments);
    }
    if (packet.payload.length === 0) continue;
    const offset = (packet.sequence - segments.syn.sequence - 1) >>> 0;
    const before = segments.parts.get(offset)?.length ?? 0;
    if (packet.payload.length > before) segments.parts.set(offset, packet.payload);
  }
  return all.map(joined);
}

function joined({ syn, parts }: Segments): TcpStream {
  const { source, sourcePort, target, targetPort } = syn;
  const pieces: Buffer[] = [];
  let length = 0;
  let hasGap = !syn.isSyn;
  for (const [offset, bytes] of [...parts].toSorted(([a], [b]) => a - b)) {
    // A keep-alive repeats one byte before the first.
    if (offset > 2 ** 31) continue;
    if (offset > length) hasGap = true;
    const fresh = bytes.subarray(Math.max(0, length - offset));
    if (fresh.length === 0) continue;
    pieces.push(fresh);
    length = Math.max(length, offset) + fresh.length;
  }
  return { source, sourcePort, target, targetPort, bytes: Buffer.concat(pieces), hasGap };
}
