import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeBase32 } from "../../src/base/base32.ts";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { sha256 } from "../../src/crypto/hash.ts";
import {
  decodeLink,
  encodeLink,
  formatLink,
  lockedLink,
  networkIdOf,
  parseLink,
  topicSecret,
  type ReadLink,
  type ShareLink,
} from "../../src/link/link.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { joinRelays, names } from "./arbitraries.ts";

const V4_RELAY = { nodeKey: Buffer.alloc(32, 0x33), host: "192.0.2.1", port: 443 };
const V6_RELAY = { nodeKey: Buffer.alloc(32, 0x44), host: "2001:db8::1", port: 9001 };
const READ: ReadLink = {
  kind: "read",
  networkId: 7,
  piecesRoot: Buffer.from(Array.from({ length: 32 }, (_, n) => n)),
  packLength: 123_456_789,
  identity: Buffer.alloc(32, 0x11),
  sharerFingerprint: Buffer.alloc(16, 0x22),
  name: "Holiday ☀",
  filesBytes: 2 ** 40,
  relays: [V4_RELAY, V6_RELAY],
};
/** Made outside this project, from PROTOCOL 4 alone. */
const READ_HEX =
  "1000000007000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0000075bcd15" +
  "11".repeat(32) +
  "22".repeat(16) +
  "01000b486f6c6964617920e29880" +
  `020027${"33".repeat(32)}04c000020101bb` +
  `020033${"44".repeat(32)}0620010db80000000000000000000000012329` +
  "030006010000000000b8e2c7fe";
const READ_TEXT =
  "backroom:caaaaaahaaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypqaaahlpgrkeirceirceirceircei" +
  "rceirceirceirceirceirceirceirceireirceirceirceirceirceirceiaqac2in5wgszdbpeqofgeaaiacomztgmztgmz" +
  "tgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztataaaaqbag5qeabtirceirceirceirceirceirceirceirceirceirc" +
  "eirceirceircamiabbw4aaaaaaaaaaaaaaaaaaajdfebqabqbaaaaaaaaxdrmp7q";
const TOPIC_SECRET = "02d13fec761dd83cf30067a7bc9c477258e6eea87ccdae50e55d198e61255bda";
const LOCKED_HEX =
  "1100000007000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0000075bcd15" +
  TOPIC_SECRET +
  "22".repeat(16) +
  `020027${"33".repeat(32)}04c000020101bb` +
  `020033${"44".repeat(32)}0620010db80000000000000000000000012329d16a5462`;

const refuses = (code: ErrorCode) => (error: unknown) => isBackroomError(error, code);
const withChecksum = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, sha256(bytes).subarray(0, 4)]);
const bare = (link: ShareLink): Buffer => encodeLink(link).subarray(0, -4);

test("a read link has these bytes and this text", () => {
  assert.equal(encodeLink(READ).toString("hex"), READ_HEX);
  assert.equal(formatLink(READ), READ_TEXT);
  assert.deepEqual(parseLink(READ_TEXT), READ);
});

test("the locked link of a read link has its topic secret, and neither key, name nor size", () => {
  const locked = lockedLink(READ);
  assert.equal(encodeLink(locked).toString("hex"), LOCKED_HEX);
  assert.equal(topicSecret(READ).toString("hex"), TOPIC_SECRET);
  assert.equal(topicSecret(locked).toString("hex"), TOPIC_SECRET);
  assert.ok(!LOCKED_HEX.includes(READ.identity.toString("hex")));
  assert.ok(!LOCKED_HEX.includes(Buffer.from("Holiday").toString("hex")));
});

decoderSuite({
  name: "link",
  decode: decodeLink,
  encode: encodeLink,
  samples: [READ_HEX, LOCKED_HEX].map((hex) => Buffer.from(hex, "hex")),
});

// Behind a right checksum, so that damage reaches the fields; a link may end after any of them.
const ENDS = new Set([91, 105, 147, 201]);
decoderSuite({
  name: "link behind a right checksum",
  decode: (bytes) => decodeLink(withChecksum(bytes)),
  encode: bare,
  samples: [bare(READ)],
  validPrefix: (length) => ENDS.has(length),
  runs: 2000,
});

const bytesOf = (length: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));
const links: fc.Arbitrary<ShareLink> = fc
  .record(
    {
      networkId: fc.nat(0xffff_ffff),
      piecesRoot: bytesOf(32),
      packLength: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
      sharerFingerprint: bytesOf(16),
      relays: fc.array(joinRelays, { maxLength: LIMITS.linkRelays }),
      name: names(LIMITS.linkNameBytes),
      filesBytes: fc.maxSafeNat().map((size) => size % 2 ** 48),
    },
    {
      noNullPrototype: true,
      requiredKeys: ["networkId", "piecesRoot", "packLength", "sharerFingerprint", "relays"],
    },
  )
  .chain((fields) =>
    bytesOf(32).chain((secret) =>
      fc.constantFrom<ShareLink>(
        { kind: "read", ...fields, identity: secret },
        { kind: "locked", ...fields, topicSecret: secret },
      ),
    ),
  );

test("every link survives its text, also in upper case and torn by line breaks and invisible letters", () => {
  const gaps = fc.array(
    fc.tuple(fc.nat(), fc.constantFrom(" ", "\n", "\r\n", "\t", "\u200B", "\u00A0", "\uFEFF")),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(links, gaps, fc.boolean(), (link, torn, upper) => {
      let text = formatLink(link);
      assert.match(text, /^backroom:[a-z2-7]+$/);
      if (upper) text = text.toUpperCase();
      for (const [where, gap] of torn) {
        const at = where % (text.length + 1);
        text = text.slice(0, at) + gap + text.slice(at);
      }
      assert.deepEqual(parseLink(text), link);
    }),
  );
});

test("a link with everything in it stays within the bound, and a text far longer is refused unread", () => {
  const name = "n".repeat(LIMITS.linkNameBytes);
  const full = encodeLink({ ...READ, name, relays: [V6_RELAY, V6_RELAY, V6_RELAY] });
  assert.ok(full.length <= 600 && full.length < LIMITS.linkBytes);
  assert.throws(() => parseLink(`backroom:${"a".repeat(LIMITS.linkTextLength)}`), refuses("E_LINK"));
  assert.throws(() => decodeLink(Buffer.alloc(LIMITS.linkBytes + 1)), refuses("E_LINK"));
});

test("any one character changed, lost, doubled or swapped with its neighbour is noticed", () => {
  const typo = (text: string): void => {
    assert.throws(
      () => parseLink(text),
      (error) => isBackroomError(error, "E_LINK_CHECKSUM") || isBackroomError(error, "E_LINK"),
      text,
    );
  };
  for (let at = 0; at < READ_TEXT.length; at++) {
    const letter = READ_TEXT[at] as string;
    for (const other of ["a", "7", "q", "0", "1", "!"]) {
      if (other !== letter) typo(READ_TEXT.slice(0, at) + other + READ_TEXT.slice(at + 1));
    }
    typo(READ_TEXT.slice(0, at) + READ_TEXT.slice(at + 1));
    typo(READ_TEXT.slice(0, at) + letter + READ_TEXT.slice(at));
    const next = READ_TEXT[at + 1] ?? letter;
    if (next !== letter) typo(READ_TEXT.slice(0, at) + next + letter + READ_TEXT.slice(at + 2));
  }
});

test("a letter of the alphabet mistyped is called a typing error, even in the version", () => {
  for (const at of [9, 10, 50, READ_TEXT.length - 2]) {
    const other = READ_TEXT[at] === "b" ? "c" : "b";
    const text = READ_TEXT.slice(0, at) + other + READ_TEXT.slice(at + 1);
    assert.throws(() => parseLink(text), refuses("E_LINK_CHECKSUM"));
  }
});

test("a link of another version says to upgrade, and is not read further", () => {
  const later = bare(READ);
  later[0] = 0x20;
  assert.throws(
    () => decodeLink(withChecksum(Buffer.concat([later.subarray(0, 3), Buffer.from("whatever comes then")]))),
    (error) => isBackroomError(error, "E_LINK_VERSION") && error.fix.includes("upgrade"),
  );
});

test("an invite, another text or nothing in place of a link is refused, the invite by name", () => {
  assert.throws(() => parseLink("backroom-join:ciaaaaahaeaqabth"), /this is an invite/);
  for (const text of [
    "",
    "backroom:",
    "backroom",
    "https://example.org",
    READ_TEXT.slice(9),
    `x${READ_TEXT}`,
    `${READ_TEXT}=`,
  ]) {
    assert.throws(() => parseLink(text), refuses("E_LINK"), text);
  }
  const inviteBytes = withChecksum(Buffer.concat([Buffer.from([0x12]), bare(READ).subarray(1)]));
  assert.throws(() => parseLink(`backroom:${encodeBase32(inviteBytes)}`), refuses("E_LINK"));
});

test("fields of later versions are skipped, repeated and long ones too", () => {
  const unknown = Buffer.from("0900016109000262630a000b6c617465722076616c7565", "hex");
  const later = withChecksum(Buffer.concat([bare(READ), unknown]));
  assert.deepEqual(decodeLink(later), READ);
});

test("fields that fall, repeat, or are malformed refuse the link", () => {
  const head = bare({ ...lockedLink(READ), relays: [] });
  const field = (hex: string): void => {
    const bytes = withChecksum(Buffer.concat([head, Buffer.from(hex, "hex")]));
    assert.throws(() => decodeLink(bytes), refuses("E_LINK"), hex);
  };
  field("03000600000000000101000161"); // name after size
  field("0100016101000162"); // two names
  field("030006000000000001030006000000000001");
  field("0300050000000001"); // size of the wrong length
  field("03000700000000000001");
  field("010000"); // empty name
  field("010002c328"); // not UTF-8
  field("010003eda080"); // half a character
  field("0100041b5b326d"); // terminal sequence
  field("010005" + Buffer.from("a\u202Eb").toString("hex")); // turns the reading direction
  field("010003" + Buffer.from("\u200B").toString("hex")); // invisible
  const relay = "33".repeat(32);
  field(`020027${relay}04c00002010000`); // port 0
  field(`020027${relay}05c000020101bb`); // unknown family
  field(`020027${relay}06c000020101bb`); // too short for its family
  field(`020028${relay}04c000020101bb00`); // too long
  field(`020033${relay}0600000000000000000000ffffc000020101bb`); // IPv4 as IPv6
  field(`020027${relay}04c000020101bb`.repeat(4)); // one too many
  field("0900ff00"); // longer than what follows
});

test("what no link may have cannot be encoded", () => {
  const wrong: Partial<ReadLink>[] = [
    { packLength: 0 },
    { packLength: 2 ** 48 },
    { packLength: 1.5 },
    { networkId: -1 },
    { networkId: 2 ** 32 },
    { piecesRoot: Buffer.alloc(31) },
    { identity: Buffer.alloc(33) },
    { sharerFingerprint: Buffer.alloc(20) },
    { filesBytes: -1 },
    { name: "" },
    { name: "a\nb" },
    { name: "é".repeat(128) },
    { relays: [V4_RELAY, V4_RELAY, V4_RELAY, V4_RELAY] },
    { relays: [{ ...V4_RELAY, host: "relay.example.org" }] },
    { relays: [{ ...V4_RELAY, host: "::ffff:192.0.2.1" }] },
    { relays: [{ ...V4_RELAY, port: 65_536 }] },
    { relays: [{ ...V4_RELAY, nodeKey: Buffer.alloc(31) }] },
  ];
  for (const fields of wrong) {
    assert.throws(() => encodeLink({ ...READ, ...fields }), refuses("E_LINK"), JSON.stringify(fields));
  }
});

test("pasted text is bounded, white space included", () => {
  const padded = (length: number): string => READ_TEXT + " ".repeat(length - READ_TEXT.length);
  assert.deepEqual(parseLink(padded(LIMITS.linkTextLength)), READ);
  assert.throws(() => parseLink(padded(LIMITS.linkTextLength + 1)), refuses("E_LINK"));
});

test("the network of a link that is kept is read without the rest", () => {
  fc.assert(
    fc.property(fc.nat({ max: 0xffff_ffff }), (networkId) => {
      assert.equal(networkIdOf(formatLink({ ...READ, networkId })), networkId);
      assert.equal(networkIdOf(formatLink(lockedLink({ ...READ, networkId }))), networkId);
    }),
  );
  for (const text of ["", "backroom:", "backroom:aaaa", "backroom-join:aaaaaaaaaa", "backroom:!!!!!!!!"]) {
    assert.throws(() => networkIdOf(text), { code: "E_LINK" });
  }
});
