import { ipBytes } from "@backroom/core/base/ip-address.ts";
import { ICMP6, TCP, UDP, type Packet } from "./pcap.ts";
import { tcpStreams, type TcpStream } from "./tcp-streams.ts";
import { readableBytes } from "./tls-records.ts";

/** Who may do what in a network that is watched. Addresses are text. */
export interface Rules {
  /** The members that hide, each with all its addresses. */
  readonly ends: readonly (readonly string[])[];
  readonly relays: ReadonlySet<string>;
  /** The only addresses with which that address of an end may exchange anything: its guards, the relays it joined through, or its proxy. */
  readonly neighbours: (end: string) => ReadonlySet<string>;
  /** Where what precedes TLS is SOCKS5, which names the relay that is wanted. */
  readonly proxies?: ReadonlySet<string>;
  /** Addresses that ask for relays on their own link, or answer there, because they were told to. */
  readonly lanSearchers?: ReadonlySet<string>;
}

export type LeakKind =
  /** A packet from one end to the other. */
  | "between ends"
  /** An end exchanged a packet with somebody who is none of its neighbours. */
  | "stranger"
  /** A datagram to or from somebody who is no relay. */
  | "datagram of no relay"
  /** An end's address in a datagram, in binary (as the DHT has it), text or hex. */
  | "address in datagram"
  /** An end's address in what a connection carries in the clear. */
  | "address in the clear"
  /** A connection that carries something else than TLS. */
  | "not TLS"
  /** Anything to or from a port where names are looked up. */
  | "name look-up"
  /** Part of a connection was not seen, so nothing is known about it. */
  | "not seen";

export interface Leak {
  readonly kind: LeakKind;
  /** Who to whom, for whoever has to find out why. */
  readonly where: string;
}

/** DNS, DNS over TLS, multicast DNS, LLMNR, NetBIOS. */
const NAME_PORTS: ReadonlySet<number> = new Set([53, 853, 5353, 5355, 137]);
const MDNS_PORT = 5353;
const MDNS_GROUPS: ReadonlySet<string> = new Set(["224.0.0.251", "ff02::fb"]);

/** Everything in a capture that ought not to be there. Empty proves something only beside a control that is not. */
export function findLeaks(packets: readonly Packet[], rules: Rules): Leak[] {
  const spellings = rules.ends.flat().flatMap(addressSpellings);
  return [
    ...packets
      .filter((packet) => !isLinkLayer(packet))
      .flatMap((packet) => ofPacket(packet, rules, spellings)),
    ...tcpStreams(packets).flatMap((stream) => ofStream(stream, rules, spellings)),
  ];
}

function ofPacket(packet: Packet, rules: Rules, spellings: readonly Buffer[]): Leak[] {
  const { source, target, protocol } = packet;
  const pair = [source, target] as const;
  const kinds: LeakKind[] = [];
  const ends = rules.ends.filter((end) => pair.some((address) => end.includes(address)));
  if (ends.length > 1) kinds.push("between ends");
  if (protocol === UDP && holdsAny(packet.payload, spellings)) kinds.push("address in datagram");
  if (!isLanSearch(packet, rules)) {
    if (NAME_PORTS.has(packet.sourcePort) || NAME_PORTS.has(packet.targetPort)) kinds.push("name look-up");
    if (isStranger(source, target, rules) || isStranger(target, source, rules)) kinds.push("stranger");
    const areRelays = pair.every((address) => rules.relays.has(address));
    if (protocol === UDP && !areRelays) kinds.push("datagram of no relay");
  }
  return kinds.map((kind) => ({ kind, where: shown(packet) }));
}

/** A question to everybody on the link, or an answer to who asked (PROTOCOL 7.7). */
function isLanSearch({ source, target, sourcePort, targetPort, protocol }: Packet, rules: Rules): boolean {
  const searchers = rules.lanSearchers ?? new Set();
  if (protocol !== UDP || !searchers.has(source)) return false;
  if (MDNS_GROUPS.has(target)) return targetPort === MDNS_PORT;
  return sourcePort === MDNS_PORT && searchers.has(target);
}

function isStranger(end: string, other: string, rules: Rules): boolean {
  return rules.ends.some((addresses) => addresses.includes(end)) && !rules.neighbours(end).has(other);
}

function ofStream(stream: TcpStream, rules: Rules, spellings: readonly Buffer[]): Leak[] {
  const kinds: LeakKind[] = [];
  const toProxy = [stream.source, stream.target].some((address) => rules.proxies?.has(address) === true);
  const bytes = stream.bytes;
  // SOCKS5 and TLS begin with other bytes; the first hello is told by its type and version.
  const tlsAt = toProxy ? Math.max(0, bytes.indexOf(Buffer.of(22, 3))) : 0;
  const { handshake, other } = readableBytes(bytes.subarray(tlsAt));
  if (other.length > 0) kinds.push("not TLS");
  if ([bytes.subarray(0, tlsAt), handshake, other].some((part) => holdsAny(part, spellings))) {
    kinds.push("address in the clear");
  }
  if (stream.hasGap) kinds.push("not seen");
  return kinds.map((kind) => ({ kind, where: shown({ ...stream, protocol: TCP }) }));
}

/** The neighbourhood of IPv6's link layer (RFC 4861, 3810), which ARP is for IPv4: never routed, and not the program's. */
function isLinkLayer({ protocol, payload }: Packet): boolean {
  const type = payload[0] ?? 0;
  return protocol === ICMP6 && ((type >= 130 && type <= 137) || type === 143);
}

function holdsAny(bytes: Buffer, spellings: readonly Buffer[]): boolean {
  return spellings.some((spelling) => bytes.includes(spelling));
}

/** An address as it may stand in bytes: binary (in IPv4's compact form, and inside of IPv6's mapped one, too), text, hex. */
export function addressSpellings(address: string): Buffer[] {
  const binary = ipBytes(address);
  if (binary === undefined) throw new Error(`${address} is no address`);
  const hex = binary.toString("hex");
  const texts = [address, hex, hex.toUpperCase()];
  if (binary.length === 16) texts.push((hex.match(/.{4}/g) ?? []).join(":"));
  return [binary, ...texts.map((text) => Buffer.from(text))];
}

function shown(one: {
  readonly source: string;
  readonly target: string;
  readonly sourcePort: number;
  readonly targetPort: number;
  readonly protocol: number;
}): string {
  return `${one.source}:${one.sourcePort} → ${one.target}:${one.targetPort}, protocol ${one.protocol}`;
}
