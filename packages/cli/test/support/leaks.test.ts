import assert from "node:assert/strict";
import { test } from "node:test";
import { ipBytes } from "@backroom/core/base/ip-address.ts";
import { findLeaks, type LeakKind, type Rules } from "./leaks.ts";
import { ipPacket, TCP, UDP, type Packet } from "./pcap.ts";

const [SHARER, SHARER6, DOWNLOADER] = ["10.0.1.2", "fd00:1::2", "10.0.2.2"];
const [GUARD, GUARD6, RELAY, ROUTER, PROXY] = ["10.0.3.2", "fd00:3::2", "10.0.4.2", "10.0.1.1", "10.0.9.2"];
const RULES: Rules = {
  ends: [[SHARER, SHARER6], [DOWNLOADER]],
  relays: new Set([GUARD, GUARD6, RELAY]),
  neighbours: (end) => new Set(end === DOWNLOADER ? [PROXY] : [GUARD, GUARD6]),
  proxies: new Set([PROXY]),
};

function udp(source: string, target: string, payload: Buffer | string, port = 6881): Packet {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(port, 0);
  header.writeUInt16BE(port, 2);
  return inIp(source, target, UDP, Buffer.concat([header, Buffer.from(payload)]));
}

/** One direction of a connection: its SYN, and the payloads in this order. */
function tcp(source: string, target: string, ...payloads: (Buffer | string)[]): Packet[] {
  let sequence = 0xffff_fff0;
  const segment = (flags: number, payload: Buffer): Packet => {
    const header = Buffer.alloc(20);
    header.writeUInt16BE(40_000, 0);
    header.writeUInt16BE(443, 2);
    header.writeUInt32BE(sequence, 4);
    header.writeUInt8(5 << 4, 12);
    header.writeUInt8(flags, 13);
    sequence = (sequence + payload.length + (flags & 2) / 2) % 2 ** 32;
    return inIp(source, target, TCP, Buffer.concat([header, payload]));
  };
  return [segment(2, Buffer.alloc(0)), ...payloads.map((payload) => segment(16, Buffer.from(payload)))];
}

/** Through bytes and back, so that the reading of packets is tried, too. */
function inIp(source: string, target: string, protocol: number, body: Buffer): Packet {
  const [from, to] = [source, target].map((text) => ipBytes(text) as Buffer) as [Buffer, Buffer];
  if (from.length === 16) {
    const header = Buffer.alloc(8);
    header.writeUInt8(0x60, 0);
    header.writeUInt16BE(body.length, 4);
    header.writeUInt8(protocol, 6);
    return ipPacket(Buffer.concat([header, from, to, body]));
  }
  const header = Buffer.alloc(12);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(20 + body.length, 2);
  header.writeUInt8(protocol, 9);
  return ipPacket(Buffer.concat([header, from, to, body, Buffer.alloc(6)]));
}

function record(type: number, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.of(type, 3, 3, bytes.length >> 8, bytes.length & 255), bytes]);
}

const HELLO = record(22, "client hello");
const SEALED = record(23, "sealed");

function kinds(packets: readonly Packet[], rules: Partial<Rules> = {}): LeakKind[] {
  return [...new Set(findLeaks(packets, { ...RULES, ...rules }).map(({ kind }) => kind))].toSorted();
}

test("what belongs there is no leak", () => {
  const packets = [
    udp(GUARD, RELAY, "d1:ad2:id20:…e"),
    udp(GUARD, RELAY, Buffer.concat([Buffer.from("6:"), ipBytes(GUARD) as Buffer])),
    ...tcp(SHARER, GUARD, HELLO, SEALED),
    ...tcp(SHARER6, GUARD6, Buffer.concat([HELLO, record(20, "\u0001"), SEALED]), SEALED.subarray(0, 7)),
    // Sealed bytes may be anything.
    ...tcp(GUARD, RELAY, HELLO, record(23, ipBytes(SHARER) as Buffer)),
    ...tcp(
      DOWNLOADER,
      PROXY,
      Buffer.of(5, 1, 0),
      Buffer.concat([Buffer.of(5, 1, 0, 1), ipBytes(GUARD) as Buffer]),
      HELLO,
    ),
  ];
  assert.deepEqual(findLeaks(packets, RULES), []);
});

/** Would catch: a detector that sees nothing, in a test where nothing is to be seen. */
test("each thing that must not be is seen", () => {
  const binary = ipBytes(SHARER) as Buffer;
  const binary6 = ipBytes(SHARER6) as Buffer;
  const compact = Buffer.concat([Buffer.from("6:valuesl6:"), binary, Buffer.of(1, 2), Buffer.from("e")]);
  const told: readonly (Buffer | string)[] = [
    compact,
    binary6,
    `peer=${SHARER}`,
    `peer=[${SHARER6}]`,
    `peer=${binary.toString("hex")}`,
    "fd00:0001:0000:0000:0000:0000:0000:0002",
    Buffer.concat([Buffer.alloc(10), Buffer.of(255, 255), binary]),
  ];
  for (const payload of told) {
    assert.deepEqual(kinds([udp(GUARD, RELAY, payload)]), ["address in datagram"]);
    assert.deepEqual(kinds(tcp(GUARD, RELAY, record(22, payload))), ["address in the clear"]);
    assert.deepEqual(kinds(tcp(GUARD, RELAY, HELLO, SEALED, payload)), ["address in the clear", "not TLS"]);
  }
  // Torn between two segments.
  const torn = record(22, compact);
  assert.deepEqual(kinds(tcp(GUARD, RELAY, torn.subarray(0, 18), torn.subarray(18))), [
    "address in the clear",
  ]);
  assert.deepEqual(kinds(tcp(GUARD, RELAY, "GET / HTTP/1.1\r\n")), ["not TLS"]);

  assert.deepEqual(kinds(tcp(SHARER, DOWNLOADER)), ["between ends", "stranger"]);
  assert.deepEqual(kinds(tcp(DOWNLOADER, SHARER)), ["between ends", "stranger"]);
  assert.deepEqual(kinds(tcp(SHARER, RELAY, HELLO)), ["stranger"]);
  assert.deepEqual(kinds(tcp(RELAY, SHARER, HELLO)), ["stranger"]);
  assert.deepEqual(kinds(tcp(DOWNLOADER, GUARD, HELLO)), ["stranger"], "past its proxy");
  assert.deepEqual(kinds([udp(SHARER, GUARD, "x")]), ["datagram of no relay"]);
  assert.deepEqual(kinds([udp(RELAY, PROXY, "x")]), ["datagram of no relay"]);
  assert.deepEqual(kinds([udp(RELAY, GUARD, "x", 53)]), ["name look-up"]);
  assert.deepEqual(kinds([udp(SHARER, ROUTER, "x", 53)]), [
    "datagram of no relay",
    "name look-up",
    "stranger",
  ]);
  assert.deepEqual(
    kinds(tcp(DOWNLOADER, PROXY, Buffer.concat([Buffer.of(5, 1, 0, 1), binary]), HELLO)),
    ["address in the clear"],
    "in what precedes TLS",
  );
});

test("who was told to may search its own link, and be answered, without a word of its address", () => {
  const [question, answer] = [
    udp(SHARER, "224.0.0.251", "which relays?", 5353),
    udp(RELAY, SHARER, "one", 5353),
  ];
  const lanSearchers = new Set([SHARER, RELAY]);
  const unasked = ["datagram of no relay", "name look-up", "stranger"];
  assert.deepEqual(kinds([question]), unasked);
  assert.deepEqual(kinds([answer]), unasked);
  assert.deepEqual(kinds([question, answer], { lanSearchers }), []);
  assert.deepEqual(kinds([answer], { lanSearchers: new Set([SHARER]) }), unasked);
  const [near, far] = ["fe80::1", "fe80::2"];
  const byV6 = [udp(near, "ff02::fb", "which relays?", 5353), udp(far, near, "one", 5353)];
  assert.deepEqual(kinds(byV6, { lanSearchers: new Set([near, far]) }), []);
  const telling = udp(RELAY, SHARER, `you are ${SHARER}`, 5353);
  assert.deepEqual(kinds([telling], { lanSearchers }), ["address in datagram"]);
});

test("segments that come twice or in another order make one stream, and a hole in it is said", () => {
  const [syn, ...rest] = tcp(GUARD, RELAY, HELLO, SEALED, SEALED) as [Packet, Packet, Packet, Packet];
  assert.deepEqual(kinds([syn, ...rest.toReversed(), ...rest]), []);
  assert.deepEqual(kinds([syn, rest[0], rest[2]]), ["not seen"]);
  assert.deepEqual(kinds(rest), ["not seen"], "its beginning");
});
