import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBencode, type Bencoded } from "../../src/base/bencode.ts";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { sha256 } from "../../src/crypto/hash.ts";
import { generateKeys, keysFromSecret, signEd25519 } from "../../src/crypto/keys.ts";
import {
  createRelayInfoDecoder,
  decodeRelayInfo,
  hopTarget,
  hostName,
  isCurrent,
  isGuest,
  signRelayInfo,
} from "../../src/directory/relay-info.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { NOW_S, signedInfo } from "./fixtures.ts";

const KEYS = keysFromSecret("ed25519", Buffer.alloc(32, 9));
const largest = signedInfo({
  networkId: 0xffff_ffff,
  bandwidthKiB: 0xffff_ffff,
  previousOnionKey: Buffer.alloc(32, 6),
  timeS: 9_999_999_999,
  endpoints: [1, 2, 3, 4].map((n) => ({ host: `2a00:${n}::1`, port: 65_535 })),
});

/** A guest: no address, no flags, hosts instead. */
const GUEST = {
  endpoints: [],
  hosts: ["00".repeat(8), "0a".repeat(8), "ff".repeat(8)],
  gate: false,
  scout: false,
};

decoderSuite({
  name: "relay info",
  decode: decodeRelayInfo,
  encode: (info) => info.bytes,
  samples: [
    signedInfo().bytes,
    signedInfo({ gate: false, scout: false, bandwidthKiB: 0 }).bytes,
    largest.bytes,
    signedInfo(GUEST).bytes,
  ],
  runs: 300,
});

test("the largest relay info fits its bound, with the size that the bound's reason names", () => {
  assert.equal(largest.bytes.length, 332);
});

test("a relay info has the bytes of PROTOCOL 7.1", () => {
  // Ed25519 is deterministic, so this vector pins the order of fields, their forms and what is signed.
  const bytes = signRelayInfo(
    {
      networkId: 7,
      onionKey: Buffer.alloc(32, 1),
      previousOnionKey: Buffer.alloc(32, 2),
      endpoints: [{ host: "1.2.3.4", port: 9001 }],
      bandwidthKiB: 500,
      gate: true,
      scout: false,
      timeS: NOW_S,
    },
    KEYS,
  );
  const text = bytes.toString("latin1");
  const head = "d1:al6:\u0001\u0002\u0003\u0004#)e1:bi500e1:fi1e1:k32:";
  assert.ok(text.startsWith(head));
  assert.ok(text.endsWith(`1:ti${NOW_S}e1:vi1ee`));
  assert.equal(
    sha256(bytes).toString("hex"),
    "6c46bfb0ded04a47fe88918658e59c1f9e4fc3e11650c257eee2d3621305c3bc",
  );
});

test("a guest's info names its hosts in place of addresses, and is shorter than any other", () => {
  const info = decodeRelayInfo(
    signRelayInfo(
      { ...GUEST, networkId: 7, onionKey: Buffer.alloc(32, 1), bandwidthKiB: 500, timeS: NOW_S },
      KEYS,
    ),
  );
  assert.equal(isGuest(info), true);
  assert.deepEqual([info.hosts, info.endpoints], [GUEST.hosts, []]);
  const text = info.bytes.toString("latin1");
  assert.ok(text.startsWith(`d1:bi500e1:fi0e1:hl8:${"\0".repeat(8)}8:`));
  assert.equal(hostName(Buffer.alloc(32)), sha256(Buffer.alloc(32)).toString("hex").slice(0, 16));
  assert.ok(info.bytes.length < LIMITS.relayInfoBytes);
});

test("every field survives", () => {
  const { bytes: _, key, nodeKey, ...fields } = largest;
  assert.equal(key, nodeKey.toString("hex"));
  assert.equal(fields.bandwidthKiB, 0xffff_ffff);
  assert.deepEqual(fields.endpoints[3], { host: "2a00:4::1", port: 65_535 });
  assert.deepEqual([fields.gate, fields.scout], [true, true]);
  assert.deepEqual(hopTarget(largest).info, largest.bytes);
});

/** A dictionary signed as it is, whatever it says. */
function forged(change: Record<string, Bencoded | undefined>): Buffer {
  const base: Record<string, Bencoded | undefined> = {
    a: [Buffer.from("080808082329", "hex")],
    b: 1,
    f: 0,
    k: KEYS.publicBytes,
    n: 7,
    o: Buffer.alloc(32),
    t: NOW_S,
    v: 1,
    ...change,
  };
  const dict = Object.fromEntries(
    Object.entries(base).filter((pair): pair is [string, Bencoded] => pair[1] !== undefined),
  );
  const s = signEd25519(
    KEYS.privateKey,
    Buffer.concat([Buffer.from("backroom relay v1"), encodeBencode(dict)]),
  );
  return encodeBencode({ ...dict, s });
}

test("a correct signature does not excuse a wrong form", () => {
  // Would catch a check that is left to the signer's good manners.
  assert.doesNotThrow(() => decodeRelayInfo(forged({})));
  assert.doesNotThrow(() => decodeRelayInfo(forged({ a: undefined, f: 0, h: [Buffer.alloc(8)] })));
  const address = Buffer.from("080808082329", "hex");
  const wrong: Record<string, Record<string, Bencoded | undefined>> = {
    "no address": { a: [] },
    "neither addresses nor hosts": { a: undefined },
    "addresses and hosts": { h: [Buffer.alloc(8)] },
    "a guest that is a gate": { a: undefined, f: 1, h: [Buffer.alloc(8)] },
    "a guest that is a scout": { a: undefined, f: 2, h: [Buffer.alloc(8)] },
    "a guest without hosts": { a: undefined, f: 0, h: [] },
    "a host twice": { a: undefined, f: 0, h: [Buffer.alloc(8), Buffer.alloc(8)] },
    "hosts that fall": { a: undefined, f: 0, h: [Buffer.alloc(8, 1), Buffer.alloc(8)] },
    "four hosts": { a: undefined, f: 0, h: [0, 1, 2, 3].map((n) => Buffer.alloc(8, n)) },
    "a long host": { a: undefined, f: 0, h: [Buffer.alloc(9)] },
    "a host that is a number": { a: undefined, f: 0, h: [1] },
    "five addresses": { a: Array<Bencoded>(5).fill(address) },
    "an address that is a number": { a: [1] },
    "a short key": { o: Buffer.alloc(31) },
    "an unknown flag": { f: 4 },
    "a negative claim": { b: -1 },
    "a missing time": { t: undefined },
    "another version": { v: 2 },
    "an unknown field": { z: 1 },
    "an unknown long field": { ab: 1 },
    "a large network id": { n: 2 ** 32 },
    "too many bytes": { p: Buffer.alloc(32), z: Buffer.alloc(200) },
  };
  for (const [name, change] of Object.entries(wrong)) {
    assert.throws(
      () => decodeRelayInfo(forged(change)),
      (error) => isBackroomError(error),
      name,
    );
  }
});

test("a signature by another key, or over another prefix, is refused", () => {
  const other = generateKeys("ed25519");
  const info = signedInfo({}, KEYS);
  const resigned = Buffer.from(info.bytes);
  const at = resigned.indexOf("1:s64:") + 6;
  const unsigned = Buffer.concat([info.bytes.subarray(0, at - 6), info.bytes.subarray(at + 64)]);
  for (const [keys, prefix] of [
    [other, "backroom relay v1"],
    [KEYS, "backroom relay v2"],
  ] as const) {
    signEd25519(keys.privateKey, Buffer.concat([Buffer.from(prefix), unsigned])).copy(resigned, at);
    assert.throws(() => decodeRelayInfo(resigned), { code: "E_RELAY_INFO" });
  }
  signEd25519(KEYS.privateKey, Buffer.concat([Buffer.from("backroom relay v1"), unsigned])).copy(
    resigned,
    at,
  );
  assert.doesNotThrow(() => decodeRelayInfo(resigned));
});

test("an info is current from 3 h before to 24 h after its time, to the second", () => {
  const info = signedInfo();
  const nowMs = NOW_S * 1000;
  assert.equal(isCurrent(info, nowMs - 3 * 3_600_000), true);
  assert.equal(isCurrent(info, nowMs - 3 * 3_600_000 - 1), false);
  assert.equal(isCurrent(info, nowMs + 24 * 3_600_000), true);
  assert.equal(isCurrent(info, nowMs + 24 * 3_600_000 + 1), false);
});

test("a decoded info keeps nothing of the frame that it came in", () => {
  // Would catch 5,000 infos that hold 80 MB of frames.
  const frame = Buffer.alloc(16_384);
  const { bytes } = signedInfo();
  bytes.copy(frame, 100);
  const info = decodeRelayInfo(frame.subarray(100, 100 + bytes.length));
  assert.notEqual(info.nodeKey.buffer, frame.buffer);
  frame.fill(0);
  assert.deepEqual(info.bytes, bytes);
});

test("the cache verifies once, forgets the oldest, and never takes a damaged info for a good one", () => {
  const decode = createRelayInfoDecoder(2);
  const [a, b, c] = [signedInfo(), signedInfo(), signedInfo()];
  const first = decode(a.bytes);
  assert.equal(decode(Buffer.from(a.bytes)), first);
  const damaged = Buffer.from(a.bytes);
  damaged[damaged.length - 70] = (damaged[damaged.length - 70] as number) ^ 1;
  assert.throws(() => decode(damaged), { code: "E_RELAY_INFO" });
  decode(b.bytes);
  decode(c.bytes);
  assert.notEqual(decode(a.bytes), first);
  assert.ok(LIMITS.relayInfoCacheCount >= LIMITS.tableInfos);
});

test("infos are remembered by their bytes, and only so many", () => {
  const decode = createRelayInfoDecoder();
  const keys = generateKeys("ed25519");
  const first = signedInfo({}, keys).bytes;
  const known = decode(first);
  assert.equal(decode(first), known, "the same info is verified twice");
  for (let n = 1; n <= LIMITS.relayInfoCacheCount; n++)
    decode(signRelayInfo({ ...known, bandwidthKiB: n + 9_999 }, keys));
  assert.notEqual(decode(first), known, "more is remembered than may be");
});
