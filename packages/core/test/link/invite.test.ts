import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { sha256 } from "../../src/crypto/hash.ts";
import { decodeInvite, encodeInvite, formatInvite, parseInvite, type Invite } from "../../src/link/invite.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { joinRelays, names, places } from "./arbitraries.ts";

const INVITE: Invite = {
  networkId: 7,
  test: true,
  name: "garden",
  relays: [{ nodeKey: Buffer.alloc(32, 0x33), host: "192.0.2.1", port: 443 }],
  bootstrap: [{ host: "2001:db8::1", port: 9001 }],
};
/** Made outside this project, from PROTOCOL 4 alone. */
const INVITE_HEX = `12000000070101000667617264656e020027${"33".repeat(32)}04c000020101bb0400130620010db80000000000000000000000012329a716a32e`;
const INVITE_TEXT =
  "backroom-join:ciaaaaahaeaqabthmfzgizloaiacomztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztat" +
  "aaaaqbag5qiaatayqacdnyaaaaaaaaaaaaaaaaaaasgknhc2rs4";

const refuses = (code: ErrorCode) => (error: unknown) => isBackroomError(error, code);
const withChecksum = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, sha256(bytes).subarray(0, 4)]);
const bare = (invite: Invite): Buffer => encodeInvite(invite).subarray(0, -4);

test("an invite has these bytes and this text", () => {
  assert.equal(encodeInvite(INVITE).toString("hex"), INVITE_HEX);
  assert.equal(formatInvite(INVITE), INVITE_TEXT);
  assert.deepEqual(parseInvite(` ${INVITE_TEXT.slice(0, 60)}\n  ${INVITE_TEXT.slice(60)}\n`), INVITE);
});

decoderSuite({
  name: "invite",
  decode: decodeInvite,
  encode: encodeInvite,
  samples: [Buffer.from(INVITE_HEX, "hex")],
});

// Behind a right checksum, so that damage reaches the fields; an invite may end after the name, and after any field then.
const ENDS = new Set([15, 57]);
decoderSuite({
  name: "invite behind a right checksum",
  decode: (bytes) => decodeInvite(withChecksum(bytes)),
  encode: bare,
  samples: [bare(INVITE)],
  validPrefix: (length) => ENDS.has(length),
  runs: 2000,
});

test("every invite survives its text, and no single letter can be changed", () => {
  const invites = fc.record(
    {
      networkId: fc.nat(0xffff_ffff),
      test: fc.boolean(),
      name: names(LIMITS.networkNameBytes),
      relays: fc.array(joinRelays, { maxLength: LIMITS.inviteRelays }),
      bootstrap: fc.array(places, { maxLength: LIMITS.inviteBootstrap }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(
      invites,
      fc.nat(),
      fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz234567"),
      (invite, where, letter) => {
        const text = formatInvite(invite);
        assert.deepEqual(parseInvite(text), invite);
        const at = where % text.length;
        const typo = text.slice(0, at) + letter + text.slice(at + 1);
        if (typo !== text) assert.throws(() => parseInvite(typo), isBackroomError);
      },
    ),
  );
});

test("a link in place of an invite is refused by name; so are mistyped, later and unknown ones", () => {
  assert.throws(() => parseInvite("backroom:caaaaaah"), /this is a link/);
  const mistyped = `${INVITE_TEXT.slice(0, 40)}${INVITE_TEXT[40] === "a" ? "b" : "a"}${INVITE_TEXT.slice(41)}`;
  assert.throws(() => parseInvite(mistyped), refuses("E_LINK_CHECKSUM"));
  const change = (at: number, value: number): Buffer => {
    const bytes = bare(INVITE);
    bytes[at] = value;
    return withChecksum(bytes);
  };
  assert.throws(() => decodeInvite(change(0, 0x22)), refuses("E_LINK_VERSION"));
  assert.throws(() => decodeInvite(change(0, 0x10)), refuses("E_INVITE"), "a link's kind");
  assert.throws(() => decodeInvite(change(5, 3)), refuses("E_INVITE"), "a flag that means something later");
  assert.throws(
    () => decodeInvite(withChecksum(bare(INVITE).subarray(0, 6))),
    refuses("E_INVITE"),
    "no name",
  );
});

test("more addresses than an invite may hold are refused both ways", () => {
  const [relay] = INVITE.relays;
  assert.ok(relay !== undefined);
  const relays = Array<typeof relay>(LIMITS.inviteRelays).fill(relay);
  assert.equal(parseInvite(formatInvite({ ...INVITE, relays })).relays.length, LIMITS.inviteRelays);
  assert.throws(() => encodeInvite({ ...INVITE, relays: [...relays, relay] }), refuses("E_INVITE"));
  const one = bare(INVITE).subarray(15, 57);
  const stuffed = Buffer.concat([bare({ ...INVITE, bootstrap: [] }), ...relays.map(() => one)]);
  assert.throws(() => decodeInvite(withChecksum(stuffed)), refuses("E_INVITE"));
});

test("an invite names so many relays and places of the DHT, also one that somebody else has made", () => {
  const [relay] = INVITE.relays as [Invite["relays"][0]];
  const [place] = INVITE.bootstrap as [Invite["bootstrap"][0]];
  const full: Invite = {
    ...INVITE,
    relays: Array.from({ length: LIMITS.inviteRelays }, () => relay),
    bootstrap: Array.from({ length: LIMITS.inviteBootstrap }, () => place),
  };
  assert.deepEqual(decodeInvite(encodeInvite(full)), full);
  assert.throws(() => encodeInvite({ ...full, relays: [...full.relays, relay] }), refuses("E_INVITE"));
  assert.throws(() => encodeInvite({ ...full, bootstrap: [...full.bootstrap, place] }), refuses("E_INVITE"));
  const oneMore = Buffer.concat([bare(full), bare(INVITE).subarray(-(3 + 19))]);
  assert.throws(() => decodeInvite(withChecksum(oneMore)), refuses("E_INVITE"));
});
