import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BackroomError, isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { Socks5Client, type Socks5Options } from "../../src/net/socks5.ts";
import { decoderSuite } from "../support/decoder-suite.ts";

const OPTIONS: Socks5Options = {
  endpoint: { host: "192.0.2.7", port: 4430 },
  credentials: { username: "ann", password: "bo" },
  mustAuthenticate: false,
};
const raises = (code: ErrorCode) => (error: unknown) => isBackroomError(error, code);
const hex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString("hex");
const OPEN_V4 = Buffer.from("05000001000000000000", "hex");
const OPEN_V6 = Buffer.from(`05000004${"00".repeat(18)}`, "hex");
const OPEN_NAME = Buffer.from(`0500000303${"61".repeat(3)}0000`, "hex");

/** Whether the answers, one after the other, open a stream; raises as the client does. */
function converse(answers: readonly Buffer[], more: Partial<Socks5Options> = {}): boolean {
  const client = new Socks5Client({ ...OPTIONS, ...more });
  client.greeting();
  for (const answer of answers) client.push(answer);
  return client.isOpen;
}

test("the bytes are those of RFC 1928 and 1929, and no name is ever asked for", () => {
  const client = new Socks5Client(OPTIONS);
  assert.equal(hex(client.greeting()), "05020002");
  assert.equal(hex(client.push(Buffer.from([5, 2]))), "0103616e6e02626f");
  assert.equal(hex(client.push(Buffer.from([1, 0]))), "05010001c0000207114e");
  assert.equal(client.isOpen, false);
  assert.equal(client.push(OPEN_V4), undefined);
  assert.equal(client.isOpen, true);

  const v6 = new Socks5Client({ ...OPTIONS, endpoint: { host: "2001:db8::1", port: 1 } });
  assert.equal(hex(v6.push(Buffer.from([5, 0]))), "0501000420010db80000000000000000000000010001");
  const name = new Socks5Client({ ...OPTIONS, endpoint: { host: "localhost", port: 1 } });
  assert.throws(() => name.push(Buffer.from([5, 0])), raises("E_UNREACHABLE"));
});

test("who has a login goes on with nobody who does not ask for it", () => {
  const client = new Socks5Client({ ...OPTIONS, mustAuthenticate: true });
  assert.equal(hex(client.greeting()), "050102");
  assert.throws(() => client.push(Buffer.from([5, 0])), raises("E_PROXY"));
});

test("answers open a stream however they are cut", () => {
  for (const reply of [OPEN_V4, OPEN_V6, OPEN_NAME]) {
    const client = new Socks5Client(OPTIONS);
    for (const answer of [Buffer.from([5, 0]), reply]) {
      for (const byte of answer) client.push(Buffer.from([byte]));
    }
    assert.ok(client.isOpen);
  }
});

test("another version, refusals, unknown kinds and answers to nothing end it with the right error", () => {
  const fail: [ErrorCode, string[]][] = [
    ["E_PROXY", ["0400"]],
    ["E_PROXY", ["05ff"]],
    ["E_PROXY", ["0501"]],
    ["E_PROXY", ["0502", "0101"]],
    ["E_PROXY", ["0502", "0500"]],
    ["E_PROXY", ["0500", "04"]],
    ["E_PROXY", ["0500", "050001"]],
    ["E_PROXY", ["0500", "05000002"]],
    ["E_PROXY", ["0500", "05020001000000000000"]],
    ["E_PROXY", ["0500", "05070001000000000000"]],
    ["E_UNREACHABLE", ["0500", "05010001000000000000"]],
    ["E_UNREACHABLE", ["0500", "05050001000000000000"]],
    // Both answers at once, before the login was sent; and bytes of the place before ours.
    ["E_PROXY", ["05020100"]],
    ["E_PROXY", ["0500", `${hex(OPEN_V4)}16`]],
    ["E_PROXY", ["0500", "48".repeat(100_000)]],
  ];
  for (const [code, answers] of fail) {
    const texts = answers.map((text) => Buffer.from(text, "hex"));
    assert.throws(() => converse(texts), raises(code), answers.join(" "));
  }
});

test("no bytes of a proxy open a stream but the right ones", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { maxLength: 4 }), (chunks) => {
      const client = new Socks5Client({ ...OPTIONS, mustAuthenticate: true });
      const all: number[] = [];
      try {
        for (const chunk of chunks) {
          all.push(...chunk);
          client.push(chunk);
        }
      } catch (error) {
        assert.ok(isBackroomError(error));
      }
      if (client.isOpen) assert.equal(hex(Buffer.from(all.slice(0, 7))), "05020100050000");
    }),
  );
});

decoderSuite({
  name: "reply of a SOCKS proxy",
  decode(bytes) {
    if (!converse([Buffer.from([5, 0]), bytes]))
      throw new BackroomError("E_DECODE", "the reply is cut short");
    return true;
  },
  samples: [OPEN_V4, OPEN_V6, OPEN_NAME],
});
