import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodePcpResponse,
  decodePmpResponse,
  encodePcpRequest,
  encodePmpRequest,
} from "../../../src/net/port-mapping/nat-pmp.ts";
import { decoderSuite } from "../../support/decoder-suite.ts";
import { pcpAnswer, pmpAnswer } from "./fake-gateway.ts";

const REQUEST = { internalPort: 4430, externalPort: 4430, lifetimeS: 3600 };
const NONCE = Buffer.from("00112233445566778899aabb", "hex");
const pmp = encodePmpRequest(REQUEST);
const pcp = encodePcpRequest(REQUEST, NONCE, "192.168.7.2");

decoderSuite({
  name: "NAT-PMP answer",
  decode: (bytes) => decodePmpResponse(bytes, REQUEST),
  samples: [pmpAnswer(pmp, 4430), pmpAnswer(pmp, 61_000, 120)],
});
decoderSuite({
  name: "PCP answer",
  decode: (bytes) => decodePcpResponse(bytes, REQUEST, NONCE),
  samples: [pcpAnswer(pcp, 4430), pcpAnswer(pcp, 61_000, 120)],
});

test("requests have the bytes of RFC 6886 and RFC 6887", () => {
  assert.equal(pmp.toString("hex"), "00020000114e114e00000e10");
  assert.equal(
    pcp.toString("hex"),
    "0201000000000e1000000000000000000000ffffc0a80702" +
      "00112233445566778899aabb06000000114e114e00000000000000000000ffff00000000",
  );
});

test("what a gateway grants is taken, and nothing that is about something else", () => {
  assert.deepEqual(decodePmpResponse(pmpAnswer(pmp, 61_000), REQUEST), {
    externalPort: 61_000,
    lifetimeS: 3600,
  });
  assert.deepEqual(decodePcpResponse(pcpAnswer(pcp, 61_000), REQUEST, NONCE), {
    externalPort: 61_000,
    lifetimeS: 3600,
  });
  // Would catch: the answer to another's request, or to an earlier one of ours, taken for the answer to this one.
  const other = { ...REQUEST, internalPort: 4431 };
  assert.throws(() => decodePmpResponse(pmpAnswer(pmp, 4430), other), { code: "E_DECODE" });
  assert.throws(() => decodePcpResponse(pcpAnswer(pcp, 4430), other, NONCE), { code: "E_DECODE" });
  assert.throws(() => decodePcpResponse(pcpAnswer(pcp, 4430), REQUEST, Buffer.alloc(12)), {
    code: "E_DECODE",
  });
  assert.throws(() => decodePmpResponse(pmpAnswer(pmp, 0), REQUEST), { code: "E_DECODE" });
  assert.throws(() => decodePcpResponse(pcpAnswer(pcp, 4430, 0), REQUEST, NONCE), { code: "E_DECODE" });
});

test("a refusal is told from nonsense, and an older gateway from both", () => {
  const refusal = pmpAnswer(pmp, 4430);
  refusal.writeUInt16BE(2, 2);
  assert.throws(() => decodePmpResponse(refusal, REQUEST), { code: "E_REFUSED" });
  const pcpRefusal = pcpAnswer(pcp, 4430);
  pcpRefusal[3] = 2;
  assert.throws(() => decodePcpResponse(pcpRefusal, REQUEST, NONCE), { code: "E_REFUSED" });
  for (const old of ["0000000100000000", "0081000100000000"]) {
    assert.equal(decodePcpResponse(Buffer.from(old, "hex"), REQUEST, NONCE), "other version");
  }
});

test("giving up is answered without a port and without time", () => {
  const giveUp = { ...REQUEST, lifetimeS: 0 };
  const answer = pmpAnswer(encodePmpRequest(giveUp), 0, 0);
  assert.deepEqual(decodePmpResponse(answer, giveUp), { externalPort: 0, lifetimeS: 0 });
});
