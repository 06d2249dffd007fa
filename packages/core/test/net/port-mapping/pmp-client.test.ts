import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import { systemClock } from "../../../src/base/clock.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { systemRandom } from "../../../src/base/random.ts";
import { decodeMapping } from "../../../src/net/port-mapping/messages.ts";
import { askPmpGateway } from "../../../src/net/port-mapping/pmp-client.ts";
import { createPortMapper } from "../../../src/net/port-mapping/port-mapper.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { pcpAnswer, pmpAnswer, startFakeGateway } from "./fake-gateway.ts";

const REQUEST = { internalPort: 4430, externalPort: 4430, lifetimeS: 3600 };
const NONCE = Buffer.alloc(12, 7);
const isPcp = (request: Buffer): boolean => request[0] === 2;
const OTHER_VERSION = Buffer.from("0081000100000000", "hex");

/** Runs against a gateway that answers so. */
async function against(answer: Parameters<typeof startFakeGateway>[0]) {
  const gateway = await startFakeGateway(answer);
  try {
    return await askPmpGateway("127.0.0.1", REQUEST, NONCE, gateway.port).then(
      (granted) => ({ granted, code: undefined, requests: gateway.requests }),
      (error: { code: string }) => ({ granted: undefined, code: error.code, requests: gateway.requests }),
    );
  } finally {
    gateway.close();
  }
}

test("a gateway is asked by PCP, and by NAT-PMP where it speaks only that, or drops what it does not know", async () => {
  const modern = await against((request, _port, reply) => reply(pcpAnswer(request, 4431)));
  assert.deepEqual([modern.granted?.externalPort, modern.requests.map(isPcp)], [4431, [true]]);
  const old = await against((request, _port, reply) =>
    reply(isPcp(request) ? OTHER_VERSION : pmpAnswer(request, 4432)),
  );
  assert.deepEqual([old.granted?.externalPort, old.requests.map(isPcp)], [4432, [true, false]]);
  const mute = await against((request, _port, reply) => {
    if (!isPcp(request)) reply(pmpAnswer(request, 4433));
  });
  assert.equal(mute.granted?.externalPort, 4433);
});

test("a request that gets lost is sent again, three times and no more", async () => {
  let count = 0;
  const lossy = await against((request, _port, reply) => {
    if (++count === 3) reply(pcpAnswer(request, 4430));
  });
  assert.deepEqual([lossy.granted?.externalPort, count], [4430, 3]);
  const silent = await against(() => {});
  assert.deepEqual([silent.code, silent.requests.length], ["E_UNREACHABLE", 6]);
});

test("nonsense, floods and other people's answers are passed over", async () => {
  const hostile = await against((request, _port, reply) => {
    for (const bytes of [Buffer.alloc(0), Buffer.of(0), Buffer.of(2, 0x81), Buffer.alloc(1400, 255)])
      reply(bytes);
    const others = Buffer.from(pcpAnswer(request, 4999));
    others[24] = 255;
    reply(others);
    reply(pcpAnswer(request, 4430));
  });
  assert.equal(hostile.granted?.externalPort, 4430);
  // A stranger who is not the gateway, at the same computer even, is not heard.
  const stranger = createSocket("udp4");
  const spoofed = await against((request, clientPort) => {
    const answer = isPcp(request) ? pcpAnswer(request, 4999) : pmpAnswer(request, 4999);
    stranger.send(answer, clientPort, "127.0.0.1");
  });
  stranger.close();
  assert.equal(spoofed.code, "E_UNREACHABLE");
  const flood = await against((_request, _port, reply) => {
    for (let n = 0; n < 200; n++) reply(Buffer.alloc(600, n));
  });
  assert.equal(flood.code, "E_UNREACHABLE");
});

test("a refusal is an answer, and where nobody listens that is known at once", async () => {
  const refusal = await against((request, _port, reply) => {
    const answer = pcpAnswer(request, 4430);
    answer[3] = 2;
    reply(answer);
  });
  assert.equal(refusal.code, "E_REFUSED");
  const gone = await startFakeGateway(() => {});
  gone.close();
  await assert.rejects(askPmpGateway("127.0.0.1", REQUEST, NONCE, gone.port), { code: "E_UNREACHABLE" });
});

test("a process of its own asks, and what the router says of time is kept within bounds", async () => {
  const gateway = await startFakeGateway((request, _port, reply) =>
    reply(pcpAnswer(request, 4440, 4_000_000_000)),
  );
  try {
    const mapper = createPortMapper({
      clock: systemClock,
      random: systemRandom,
      gateways: ["127.0.0.1"],
      pmpPort: gateway.port,
    });
    const mapping = await mapper.map(4430, 4430);
    assert.deepEqual(mapping, { port: 4440, lifetimeMs: LIMITS.portMappingMostMs });
    assert.equal(gateway.requests.length, 1);
  } finally {
    gateway.close();
  }
});

test("a process that takes too long is ended, whatever would still have come", async () => {
  let requests = 0;
  const clock = new ManualClock();
  const gateway = await startFakeGateway((request, _port, reply) => {
    if (++requests === 1) clock.advance(LIMITS.portMappingMs);
    else reply(pcpAnswer(request, 4440));
  });
  try {
    const where = { gateways: ["127.0.0.1"], pmpPort: gateway.port };
    const mapper = createPortMapper({ clock, random: systemRandom, ...where });
    assert.equal(await mapper.map(4430, 4430), undefined);
    assert.equal(clock.timerCount, 0);
  } finally {
    gateway.close();
  }
});

test("what comes from the process is a mapping or nothing", () => {
  assert.deepEqual(decodeMapping({ port: 4430, lifetimeS: 1 }), {
    port: 4430,
    lifetimeMs: LIMITS.portMappingLeastMs,
  });
  assert.equal(decodeMapping({ port: 0, lifetimeS: 0 }), undefined);
  for (const message of [
    undefined,
    null,
    1,
    "mapped",
    {},
    { port: 4430 },
    { port: 65_536, lifetimeS: 1 },
    { port: -1, lifetimeS: 1 },
    { port: 1.5, lifetimeS: 1 },
    { port: "4430", lifetimeS: 1 },
    { port: 4430, lifetimeS: Infinity },
    { port: 4430, lifetimeS: NaN },
  ]) {
    assert.throws(() => decodeMapping(message), { code: "E_DECODE" });
  }
});
