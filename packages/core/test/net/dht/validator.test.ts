import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test, type TestContext } from "node:test";
import { Client } from "bittorrent-dht";
import fc from "fast-check";
import { decodeBencode, encodeBencode, type Bencoded, type BencodedDict } from "../../../src/base/bencode.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { boundedReply, cleanDhtPacket, decodeDhtPacket } from "../../../src/net/dht/validator.ts";
import { decoderSuite } from "../../support/decoder-suite.ts";

const text = (value: string): Buffer => Buffer.from(value, "latin1");
const ID = Buffer.alloc(20, 1);
const HASH = Buffer.alloc(20, 2);
const T = text("ab");

function query(name: string, more: { [key: string]: Bencoded } = {}): { [key: string]: Bencoded } {
  return { t: T, y: text("q"), q: text(name), a: { id: ID, ...more } };
}

const answer = (more: { [key: string]: Bencoded } = {}): { [key: string]: Bencoded } => ({
  t: T,
  y: text("r"),
  r: { id: ID, ...more },
});

const GOOD: { [key: string]: Bencoded }[] = [
  query("ping"),
  query("find_node", { target: HASH }),
  query("get_peers", { info_hash: HASH }),
  query("announce_peer", { info_hash: HASH, port: 4000, implied_port: 0, token: text("token") }),
  answer(),
  answer({ nodes: Buffer.alloc(52, 3), token: text("t") }),
  answer({ values: [Buffer.alloc(6, 4), Buffer.alloc(6, 5)] }),
  { t: T, y: text("e"), e: [203, Buffer.alloc(0)] },
];

decoderSuite({
  name: "DHT packets",
  decode: decodeDhtPacket,
  encode: encodeBencode,
  samples: GOOD.map(encodeBencode),
  runs: 1000,
});

test("what real nodes add is left out, and their order of keys is taken", () => {
  const full = {
    ...query("get_peers", { info_hash: HASH, want: [text("n4")], scrape: 1, noseed: 0 }),
    v: text("LT\u0001\u0002"),
    ro: 1,
    ip: Buffer.alloc(6),
  };
  assert.deepEqual(
    cleanDhtPacket(encodeBencode(full)),
    encodeBencode(query("get_peers", { info_hash: HASH })),
  );
  const unsorted = Buffer.concat([text("d1:y1:q1:t2:ab1:q4:ping1:ad2:id20:"), ID, text("ee")]);
  assert.deepEqual(cleanDhtPacket(unsorted), encodeBencode(query("ping")));
});

/** Each a packet that would reach code of the library which does not expect it. */
const BAD: [string, Bencoded][] = [
  ["integer info_hash", query("get_peers", { info_hash: 5 })],
  ["integer target", query("find_node", { target: 5 })],
  ["integer token", query("announce_peer", { info_hash: HASH, port: 1, token: 5 })],
  ["short info_hash", query("get_peers", { info_hash: ID.subarray(1) })],
  ["list as id", { ...query("ping"), a: { id: [ID] } }],
  ["no arguments", { t: T, y: text("q"), q: text("ping") }],
  ["arguments as a string", { ...query("ping"), a: text("x") }],
  ["integer transaction", { ...query("ping"), t: 1 }],
  ["long transaction", { ...query("ping"), t: Buffer.alloc(LIMITS.dhtTransactionBytes + 1) }],
  [
    "long token",
    query("announce_peer", { info_hash: HASH, port: 1, token: Buffer.alloc(LIMITS.dhtTokenBytes + 1) }),
  ],
  ["answer with a long token", answer({ token: Buffer.alloc(LIMITS.dhtTokenBytes + 1) })],
  ["port out of range", query("announce_peer", { info_hash: HASH, port: 65_536, token: T })],
  ["BEP 44 get", query("get", { target: HASH })],
  ["BEP 44 put", query("put", { v: text("value"), token: T })],
  ["a name that every object has", query("constructor")],
  ["integer name", { ...query("ping"), q: 7 }],
  ["answer with integer nodes", answer({ nodes: 3 })],
  ["answer with nodes of a wrong length", answer({ nodes: Buffer.alloc(27) })],
  ["answer with values as a string", answer({ values: Buffer.alloc(6) })],
  ["answer with integers as values", answer({ values: [1, 2] })],
  ["answer with a dictionary as token", answer({ token: {} })],
  ["answer to nobody", { ...answer(), t: text("abc") }],
  ["error that is no list", { t: T, y: text("e"), e: text("no") }],
  ["error without a code", { t: T, y: text("e"), e: [] }],
  ["unknown kind", { t: T, y: text("x") }],
  ["no dictionary", [1, 2, 3]],
  ["longer than a frame of Ethernet", query("ping", { pad: Buffer.alloc(LIMITS.dhtPacketBytes) })],
];

for (const [what, packet] of BAD) {
  test(`dropped: ${what}`, () => assert.equal(cleanDhtPacket(encodeBencode(packet)), undefined));
}

test("lists are cut to their bounds", () => {
  const values = Array.from({ length: 60 }, (_, index) => Buffer.alloc(6, index));
  const nodes = Buffer.alloc(26 * 30);
  const clean = decodeDhtPacket(encodeBencode(answer({ values, nodes })))["r"] as { [key: string]: Bencoded };
  assert.equal((clean["values"] as Buffer[]).length, LIMITS.dhtValues);
  assert.equal((clean["nodes"] as Buffer).length, LIMITS.dhtNodes * 26);
  const mixed = decodeDhtPacket(encodeBencode(answer({ values: [Buffer.alloc(18), Buffer.alloc(6)] })));
  assert.deepEqual((mixed["r"] as { [key: string]: Bencoded })["values"], [Buffer.alloc(6)]);
});

test("an answer of the library with thousands of peers leaves with a few", () => {
  const values = Array.from({ length: 2000 }, (_, index) =>
    Buffer.from(`peer${index}`.slice(0, 6).padEnd(6)),
  );
  const bounded = boundedReply(encodeBencode(answer({ values, token: T })));
  assert.ok(bounded.length < 600, `${bounded.length} bytes`);
  const r = (decodeBencode(bounded) as BencodedDict).get("r") as BencodedDict;
  assert.deepEqual([(r.get("values") as Buffer[]).length, r.get("token")], [LIMITS.dhtValues, T]);
  const small = encodeBencode(answer({ nodes: Buffer.alloc(26 * 20) }));
  assert.deepEqual(boundedReply(small), small);
});

/** The library on a socket that goes nowhere. */
function libraryOn(t: TestContext): EventEmitter {
  const socket = Object.assign(new EventEmitter(), {
    send() {},
    bind() {},
    close() {},
    address: () => ({ port: 1 }),
  });
  const dht = new Client({ socket, bootstrap: [], maxTables: 10, maxPeers: 10, maxAge: 1000 });
  dht.on("warning", () => {});
  t.after(() => (dht as unknown as { destroy(): void }).destroy());
  return socket;
}

const SOURCE = { address: "192.0.2.9", port: 4000 };

test("the library really throws on one of these packets, and on nothing that was validated", (t) => {
  const socket = libraryOn(t);
  const killer = encodeBencode(query("get_peers", { info_hash: 5 }));
  assert.throws(() => socket.emit("message", killer, SOURCE), Error, "the validator would not be needed");
  const leaf = fc.oneof(
    fc.integer(),
    fc.constantFrom(ID, HASH, T, Buffer.alloc(0), Buffer.alloc(26), Buffer.alloc(6)),
  );
  const value = fc.oneof(
    leaf,
    fc.array(leaf, { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("id", "a", "v"), leaf),
  );
  const fields = fc.constantFrom(
    "id",
    "target",
    "info_hash",
    "token",
    "port",
    "nodes",
    "values",
    "implied_port",
    "v",
  );
  const names = fc.constantFrom("ping", "find_node", "get_peers", "announce_peer", "get", "put");
  const body = fc.oneof(
    fc.dictionary(fields, value).map((more) => ({ id: ID, ...more })),
    value,
  );
  const packet = fc.record(
    {
      t: fc.oneof({ weight: 9, arbitrary: fc.constant(T) }, value),
      y: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(text("q"), text("r"), text("e")) }, value),
      q: fc.oneof({ weight: 9, arbitrary: names.map(text) }, value),
      a: body,
      r: body,
      e: value,
    },
    { requiredKeys: ["t", "y"] },
  );
  let passed = 0;
  fc.assert(
    fc.property(packet, (fuzzed) => {
      const clean = cleanDhtPacket(encodeBencode(fuzzed));
      if (clean === undefined) return;
      passed++;
      socket.emit("message", clean, SOURCE);
    }),
    { numRuns: 5000 },
  );
  for (const good of GOOD) socket.emit("message", cleanDhtPacket(encodeBencode(good)), SOURCE);
  assert.ok(passed > 50, `only ${passed} fuzzed packets reached the library`);
});
