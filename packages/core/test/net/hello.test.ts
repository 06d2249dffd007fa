import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { OTHER_FRAME_BYTES, frameBody } from "../../src/net/frame.ts";
import {
  checkHello,
  decodeHello,
  encodeHello,
  ownHello,
  type Hello,
  type Side,
} from "../../src/net/hello.ts";
import { decoderSuite } from "../support/decoder-suite.ts";

const nodeKeys = generateKeys("ed25519");
const exporter = Buffer.alloc(32, 7);
const own = { networkId: 0x01020304, nowMs: 1_800_000_000_999, exporter };
const info = Buffer.alloc(400, 9);
const relayHello = (side: Side): Hello => ownHello({ ...own, side, identity: { nodeKeys, info } });
const failsWith = (code: ErrorCode) => (error: unknown) => isBackroomError(error, code);

test("HELLO bytes are those of PROTOCOL 5", () => {
  const client = encodeHello(ownHello({ ...own, side: "initiator" }));
  assert.equal(client.subarray(0, 21).toString("hex"), "000000000100000001000102030400006b49d20000");
  const relay = frameBody(encodeHello(relayHello("responder")));
  assert.equal(relay[1], 1);
  assert.deepEqual(relay.subarray(12, 44), nodeKeys.publicBytes);
  assert.equal(relay.readUInt16BE(108), 400);
  assert.deepEqual(relay.subarray(110, 510), info);
});

test("a relay's HELLO holds for its own side, network and connection only", () => {
  const hello = decodeHello(encodeHello(relayHello("responder")));
  const expected = { side: "responder", networkId: own.networkId, exporter } as const;
  checkHello(hello, { ...expected, expectedKey: nodeKeys.publicBytes });
  const reflected = (): void => checkHello(hello, { ...expected, side: "initiator" });
  assert.throws(reflected, failsWith("E_CHANNEL"), "a responder's signature was taken for an initiator's");
  const relayed = (): void => checkHello(hello, { ...expected, exporter: Buffer.alloc(32, 8) });
  assert.throws(relayed, failsWith("E_CHANNEL"), "a signature was taken from another connection");
  assert.throws(() => checkHello(hello, { ...expected, networkId: 1 }), failsWith("E_OTHER_NETWORK"));
  const expectedKey = generateKeys("ed25519").publicBytes;
  assert.throws(() => checkHello(hello, { ...expected, expectedKey }), failsWith("E_CHANNEL_IDENTITY"));
});

test("only an initiator may stay anonymous", () => {
  const hello = ownHello({ ...own, side: "initiator" });
  checkHello(hello, { side: "initiator", networkId: own.networkId, exporter });
  const silent = (): void => checkHello(hello, { side: "responder", networkId: own.networkId, exporter });
  assert.throws(silent, failsWith("E_CHANNEL"));
});

test("other versions, roles, lengths and a tail that is not zeros are refused", () => {
  for (const [at, value] of [
    [8, 2],
    [9, 2],
    [8 + 108, 2],
    [OTHER_FRAME_BYTES - 1, 1],
  ] as const) {
    const frame = encodeHello(relayHello("initiator"));
    frame[at] = value;
    assert.throws(() => decodeHello(frame), failsWith("E_CHANNEL"), `byte ${at}`);
  }
});

decoderSuite({
  name: "HELLO",
  decode: decodeHello,
  encode: encodeHello,
  samples: [relayHello("initiator"), ownHello({ ...own, side: "initiator" })].map(encodeHello),
  // The reader in front hands over whole frames only; a body cut short within its zeros still says the same.
  validPrefix: (length, sample) => sample.subarray(length).every((byte) => byte === 0),
  runs: 200,
});
