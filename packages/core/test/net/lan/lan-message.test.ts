import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeLanAnswer,
  decodeLanQuestion,
  encodeLanAnswer,
  encodeLanQuestion,
} from "../../../src/net/lan/lan-message.ts";
import { isLanAddress } from "../../../src/net/lan/lan-interfaces.ts";
import { decoderSuite } from "../../support/decoder-suite.ts";

const NAME = Buffer.from("095f6261636b726f6f6d045f746370056c6f63616c00", "hex");
const ANSWER = { id: 0x1234, networkId: 0xb0b0_0001, nodeKey: Buffer.alloc(32, 7), port: 4430 };

test("a question is one PTR question of DNS, and is read whatever the case of its letters and what stands behind it", () => {
  const question = encodeLanQuestion(0xabcd);
  const header = Buffer.from("abcd00000001000000000000", "hex");
  assert.deepEqual(question, Buffer.concat([header, NAME, Buffer.from("000c0001", "hex")]));
  assert.equal(decodeLanQuestion(question), 0xabcd);
  const shouted = Buffer.from(question.toString("latin1").replace("_backroom", "_BackRoom"), "latin1");
  assert.equal(decodeLanQuestion(shouted), 0xabcd);
  const knowing = Buffer.concat([question, Buffer.alloc(200, 0xc0)]);
  assert.equal(decodeLanQuestion(knowing), 0xabcd);
  const alone = Buffer.from(question);
  alone.writeUInt16BE(0x8001, alone.length - 2);
  assert.equal(decodeLanQuestion(alone), 0xabcd);
});

test("other services, answers, other classes and cut questions are no questions of ours", () => {
  const question = encodeLanQuestion(1);
  const changed = (at: number, byte: number): Buffer => {
    const copy = Buffer.from(question);
    copy[at] = byte;
    return copy;
  };
  for (const other of [
    changed(2, 0x84),
    changed(5, 0),
    changed(14, "x".charCodeAt(0)),
    changed(question.length - 3, 1),
    changed(question.length - 1, 3),
    Buffer.concat([question, Buffer.alloc(2000)]),
  ]) {
    assert.equal(decodeLanQuestion(other), undefined);
  }
  for (let length = 0; length < question.length; length++) {
    assert.equal(decodeLanQuestion(question.subarray(0, length)), undefined);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1600 }), (bytes) => decodeLanQuestion(bytes) === undefined),
  );
});

decoderSuite({
  name: "answer on the local network",
  decode: decodeLanAnswer,
  encode: encodeLanAnswer,
  samples: [ANSWER, { id: 0, networkId: 1, nodeKey: Buffer.alloc(32, 0xff), port: 65_535 }].map(
    encodeLanAnswer,
  ),
});

test("an answer names a network, a key and a port, and neither a computer nor anybody's address", () => {
  const strings = encodeLanAnswer(ANSWER).toString("latin1");
  assert.match(strings, /n=b0b00001.k=[a-z2-7]{52}$/s);
  assert.equal(encodeLanAnswer(ANSWER).length < 400, true);
  assert.throws(() => decodeLanAnswer(encodeLanAnswer({ ...ANSWER, port: 0 })));
});

test("only private IPv4 addresses, and link-local IPv6 ones with their zone, are taken for neighbours'", () => {
  for (const host of [
    "fe80::1%eth0",
    "febf::1%12",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.3.4",
  ]) {
    assert.ok(isLanAddress(host), host);
  }
  for (const host of [
    "127.0.0.1",
    "172.32.0.1",
    "8.8.8.8",
    "100.64.0.1",
    "fe80::1",
    "fe80::1%",
    "fe80::1%eth0%eth1",
    "fec0::1%eth0",
    "fd00::1",
    "2a00::1%eth0",
    "10.0.0.1%eth0",
    "224.0.0.251",
    "printer.local",
    "",
  ]) {
    assert.ok(!isLanAddress(host), host);
  }
});
