import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BackroomError, isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { decodeHandshake, encodeHandshake } from "../../src/torrent/handshake.ts";
import {
  encodeMessage,
  PIECE_HEAD_BYTES,
  writePieceHead,
  type WireMessage,
} from "../../src/torrent/peer-wire.ts";
import { PeerWireDecoder } from "../../src/torrent/wire-decoder.ts";
import { decoderSuite } from "../support/decoder-suite.ts";

const PIECES = 19;
const root = Buffer.alloc(32, 7);
const range = { root, baseLayer: 2, index: 512, length: 2, proofLayers: 3 };
const handshake = encodeHandshake(Buffer.alloc(32, 1), Buffer.alloc(20, 2));

/** One of each kind, as bytes that were written down by hand from BEP 3, 6, 10 and 52 where they are short. */
const BY_HAND: readonly (readonly [WireMessage, string])[] = [
  [{ type: "keepalive" }, "00000000"],
  [{ type: "choke" }, "0000000100"],
  [{ type: "unchoke" }, "0000000101"],
  [{ type: "interested" }, "0000000102"],
  [{ type: "notInterested" }, "0000000103"],
  [{ type: "have", piece: 258 }, "000000050400000102"],
  [{ type: "bitfield", bits: Buffer.from("ff0120", "hex") }, "0000000405ff0120"],
  [{ type: "request", piece: 1, begin: 16384, length: 16384 }, "0000000d06000000010000400000004000"],
  [{ type: "piece", piece: 1, begin: 2, bytes: Buffer.from("abc") }, "0000000c070000000100000002616263"],
  [{ type: "cancel", piece: 1, begin: 2, length: 3 }, "0000000d08000000010000000200000003"],
  [{ type: "port", port: 6881 }, "00000003091ae1"],
  [{ type: "suggest", piece: 3 }, "000000050d00000003"],
  [{ type: "haveAll" }, "000000010e"],
  [{ type: "haveNone" }, "000000010f"],
  [{ type: "reject", piece: 1, begin: 2, length: 3 }, "0000000d10000000010000000200000003"],
  [{ type: "allowedFast", piece: 4 }, "000000051100000004"],
  [{ type: "extended", id: 0, payload: Buffer.from("de") }, "0000000414006465"],
  [{ type: "hashRequest", ...range }, `0000003115${root.toString("hex")}00000002000002000000000200000003`],
  [
    { type: "hashes", ...range, hashes: Buffer.alloc(96, 9) },
    `0000009116${root.toString("hex")}00000002000002000000000200000003${"09".repeat(96)}`,
  ],
  [{ type: "hashReject", ...range }, `0000003117${root.toString("hex")}00000002000002000000000200000003`],
];

function decodeOne(bytes: Buffer): WireMessage {
  const decoder = new PeerWireDecoder(PIECES);
  decoder.push(Buffer.from(handshake));
  const [message, ...more] = decoder.push(bytes);
  if (message === undefined || message.type === "handshake" || more.length > 0 || !decoder.atEdge) {
    throw new BackroomError("E_WIRE", "not exactly one message");
  }
  return message;
}

decoderSuite({ name: "handshake", decode: decodeHandshake, samples: [handshake] });
decoderSuite({
  name: "peer wire message",
  decode: decodeOne,
  encode: encodeMessage,
  samples: BY_HAND.map(([message]) => encodeMessage(message)),
});

test("every message has the bytes of its BEP: a field swapped in encoder and decoder alike fails here", () => {
  for (const [message, hex] of BY_HAND) {
    assert.equal(encodeMessage(message).toString("hex"), hex, message.type);
    assert.deepEqual(decodeOne(Buffer.from(hex, "hex")), message);
  }
});

test("the handshake announces BEP 10, 6 and 52 and carries the first 20 bytes of the infohash", () => {
  const infohash = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
  const bytes = encodeHandshake(infohash, Buffer.alloc(20, 0xee));
  assert.equal(bytes.toString("latin1", 0, 20), "\u0013BitTorrent protocol");
  assert.equal(bytes.toString("hex", 20, 28), "0000000000100014");
  assert.deepEqual(bytes.subarray(28, 48), infohash.subarray(0, 20));
  assert.deepEqual(decodeHandshake(bytes), {
    type: "handshake",
    infohash: infohash.subarray(0, 20),
    peerId: Buffer.alloc(20, 0xee),
    extensions: true,
    fast: true,
  });
});

test("any chunking of the wire gives the same messages", () => {
  const block = { type: "piece", piece: 5, begin: 0, bytes: Buffer.alloc(LIMITS.wireBlockBytes, 3) } as const;
  const messages: WireMessage[] = [...BY_HAND.map(([message]) => message), block, { type: "choke" }];
  const stream = Buffer.concat([handshake, ...messages.map(encodeMessage)]);
  const expected = [decodeHandshake(handshake), ...messages];
  const cuts = fc.array(fc.nat({ max: stream.length }), { maxLength: 60 });
  fc.assert(
    fc.property(cuts, (unsorted) => {
      const edges = [0, ...unsorted.sort((a, b) => a - b), stream.length];
      const decoder = new PeerWireDecoder(PIECES);
      const got = edges.flatMap((from, at) =>
        decoder.push(Buffer.from(stream.subarray(from, edges[at + 1]))),
      );
      assert.deepEqual(got, expected);
      assert.ok(decoder.atEdge);
    }),
    { numRuns: 200 },
  );
  const decoder = new PeerWireDecoder(PIECES);
  const bytewise = [...stream].flatMap((byte) => decoder.push(Buffer.from([byte])));
  assert.deepEqual(bytewise, expected);
});

test("a head that cannot be right is refused before its body arrives, so nobody makes us hold room for it", () => {
  const heads = {
    "a bitfield that is a byte too long": "0000000505",
    "a piece beyond 16 KiB": "0000400a07",
    "an empty piece": "0000000907",
    "an extension message beyond its bound": "0000400314",
    "an unknown id": "0000000112",
    "a choke with a body": "0000000200",
    "the longest length there is": "ffffffff07",
    "hashes without a hash": "0000003116",
  };
  for (const [what, head] of Object.entries(heads)) {
    const decoder = new PeerWireDecoder(PIECES);
    decoder.push(Buffer.from(handshake));
    const refused = (error: unknown): boolean => isBackroomError(error, "E_WIRE");
    assert.throws(() => decoder.push(Buffer.from(head, "hex")), refused, what);
    assert.throws(() => decoder.push(encodeMessage({ type: "choke" })), refused, "goes on after an error");
  }
});

test("a block that lies whole in a chunk is a slice of it: copying each would cost a second pass over memory", () => {
  const decoder = new PeerWireDecoder(PIECES);
  decoder.push(Buffer.from(handshake));
  const chunk = encodeMessage({ type: "piece", piece: 0, begin: 0, bytes: Buffer.alloc(16_384, 1) });
  const [message] = decoder.push(chunk);
  assert.ok(message?.type === "piece");
  assert.equal(message.bytes.buffer, chunk.buffer);
});

test("a block's head and the block are what encodeMessage writes", () => {
  const bytes = Buffer.from("block");
  const whole = encodeMessage({ type: "piece", piece: 6, begin: 32, bytes });
  const target = Buffer.alloc(3 + PIECE_HEAD_BYTES);
  assert.equal(writePieceHead({ piece: 6, begin: 32, length: bytes.length }, target, 3), target.length);
  assert.deepEqual(Buffer.concat([target.subarray(3), bytes]), whole);
});
