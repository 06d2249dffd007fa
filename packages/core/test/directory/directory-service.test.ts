import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeBencode, type Bencoded } from "../../src/base/bencode.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { STREAM_PAYLOAD_BYTES } from "../../src/circuit/stream.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { createDirectoryService } from "../../src/directory/directory-service.ts";
import {
  askAt,
  askReach,
  askSample,
  atQuestion,
  publishQuestion,
  reachQuestion,
  sampleQuestion,
  type Ask,
} from "../../src/directory/questions.ts";
import { decodeRelayInfo, isGuest, type RelayInfo } from "../../src/directory/relay-info.ts";
import { namedSource } from "../../src/directory/subnets.ts";
import { NETWORK, NOW_S, signedInfo, tableWith, refusalOf, wire } from "./fixtures.ts";

function serve(probe: (info: RelayInfo) => Promise<boolean> = () => Promise.resolve(true)) {
  const { table, clock } = tableWith();
  const probed: RelayInfo[] = [];
  const service = createDirectoryService({
    table,
    clock,
    network: NETWORK,
    decodeInfo: decodeRelayInfo,
    probe: (info) => (probed.push(info), probe(info)),
  });
  const asking =
    (circuit: number): Ask =>
    async (question) =>
      wire(await service.answer(wire(question), circuit));
  return { table, clock, probed, service, asking, ask: asking(1) };
}

const infoAt = (n: number, timeS = NOW_S) =>
  signedInfo({ endpoints: [{ host: `8.${n}.8.8`, port: 9 }], timeS });

const CLIENT_KEY = Buffer.alloc(32, 3);

/** A relay whose dials to `open` succeed, asked by somebody at `host`. */
function reachable(host: string | undefined, open = "8.8.4.4 9001") {
  const dialled: string[] = [];
  const { table, clock } = tableWith();
  const service = createDirectoryService({
    table,
    clock,
    network: NETWORK,
    decodeInfo: decodeRelayInfo,
    probe: () => Promise.resolve(false),
    dialBack: (key, { host, port }) => {
      dialled.push(`${host} ${port}`);
      return Promise.resolve(key.equals(CLIENT_KEY) && `${host} ${port}` === open);
    },
  });
  const ask: Ask = async (question) => wire(await service.answer(wire(question), 1, host));
  return { dialled, ask };
}

test("who asks whether it can be reached is dialled where its connection comes from, and learns where that is", async () => {
  const { ask, dialled } = reachable("8.8.4.4");
  assert.deepEqual(await askReach(ask, CLIENT_KEY, 9001), {
    endpoint: { host: "8.8.4.4", port: 9001 },
    reached: true,
  });
  assert.equal((await askReach(ask, CLIENT_KEY, 9002)).reached, false);
  assert.equal((await askReach(ask, Buffer.alloc(32), 9001)).reached, false, "another key answers there");
  assert.deepEqual(dialled, ["8.8.4.4 9001", "8.8.4.4 9002", "8.8.4.4 9001"]);
});

test("nobody is dialled whom the question does not come from, nor at an address that is not public", async () => {
  // Would catch: a circuit that ends at a relay and makes it scan the relay before it; a house's own network knocked at.
  for (const host of [undefined, "192.168.1.7", "127.0.0.1", "::1", "fe80::1", "not an address"]) {
    const { ask, dialled } = reachable(host);
    assert.equal(refusalOf(await ask(reachQuestion(CLIENT_KEY, 9001))), "refused", host);
    assert.deepEqual(dialled, []);
  }
  for (const question of [{ p: 0 }, { p: 65_536 }, { p: -1 }, { k: Buffer.alloc(31) }, { k: 1 }]) {
    const { ask, dialled } = reachable("8.8.4.4");
    const answer = await ask({ ...reachQuestion(CLIENT_KEY, 9001), ...question });
    assert.ok(["bad", "refused"].includes(refusalOf(answer) ?? ""));
    assert.deepEqual(dialled, []);
  }
});

test("dial-backs are few, whoever asks", async () => {
  const { ask, dialled } = reachable("8.8.4.4");
  const answers = [];
  for (let n = 0; n < LIMITS.probeBurstCount + 5; n++)
    answers.push(await ask(reachQuestion(CLIENT_KEY, 9001)));
  assert.equal(dialled.length, LIMITS.probeBurstCount);
  assert.equal(answers.filter((answer) => refusalOf(answer) === "busy").length, 5);
});

test("an answer about another port, or of another form, is none", async () => {
  const address = Buffer.from("080804042329", "hex");
  for (const answer of [
    { a: address, r: 2 },
    { a: address },
    { r: 1 },
    { a: 1, r: 1 },
    { a: Buffer.from("080804042328", "hex"), r: 1 },
    { a: Buffer.from("0808040423", "hex"), r: 1 },
  ] as Bencoded[]) {
    await assert.rejects(
      askReach(() => Promise.resolve(wire(answer)), CLIENT_KEY, 9001),
      { code: "E_DECODE" },
    );
  }
});

test("a guest is taken by a host that keeps its channel, and dialled by nobody", async () => {
  const guest = signedInfo({ endpoints: [], hosts: ["01".repeat(8)], gate: false, scout: false });
  const taken: string[] = [];
  for (const keeps of [true, false]) {
    const { table, clock } = tableWith();
    const service = createDirectoryService({
      table,
      clock,
      network: NETWORK,
      decodeInfo: decodeRelayInfo,
      probe: () => assert.fail("a guest was dialled"),
      takeGuest: ({ key }) => (taken.push(key), keeps),
    });
    const answer = wire(await service.answer(wire(publishQuestion(guest.bytes)), 1));
    assert.equal(refusalOf(answer), keeps ? undefined : "unreachable");
    assert.deepEqual([table.size, table.guests.size], [0, keeps ? 1 : 0]);
    const infos = await askSample(
      async (question) => wire(await service.answer(wire(question), 1)),
      decodeRelayInfo,
    );
    assert.deepEqual(
      infos.map(({ key }) => key),
      keeps ? [guest.key] : [],
    );
  }
  assert.deepEqual(taken, [guest.key, guest.key]);
  assert.equal(refusalOf(await serve().ask(publishQuestion(guest.bytes))), "unreachable");
});

test("guests take no more than their part of a sample", async () => {
  const { table, ask } = serve();
  for (let n = 0; n < 80; n++) table.add(infoAt(n), namedSource("a"));
  for (let n = 0; n < 40; n++) {
    const hosts = [n.toString(16).padStart(16, "0")];
    table.add(signedInfo({ endpoints: [], hosts, gate: false, scout: false }), namedSource("a"));
  }
  const infos = await askSample(ask, decodeRelayInfo);
  assert.equal(infos.length, LIMITS.sampleInfos);
  assert.equal(infos.filter(isGuest).length, LIMITS.sampleGuests);
});

test("a sample holds at most 64 relays of the table, whatever is asked for", async () => {
  const { table, ask } = serve();
  for (let n = 0; n < 80; n++) table.add(infoAt(n), namedSource("a"));
  const infos = await askSample(ask, decodeRelayInfo);
  assert.equal(new Set(infos.map((info) => info.key)).size, LIMITS.sampleInfos);
  const answer = await ask({ ...sampleQuestion(0), n: 1_000_000 });
  assert.equal((answer.get("r") as unknown[]).length, LIMITS.sampleInfos);
  assert.ok(
    encodeBencode(answer).length <= STREAM_PAYLOAD_BYTES - 4,
    "an answer takes more than one DATA frame",
  );
});

test("the relay at an address is named, and a relay elsewhere is not taken for it", async () => {
  const { table, ask } = serve();
  const info = infoAt(1);
  table.add(info, namedSource("a"));
  assert.equal((await askAt(ask, { host: "8.1.8.8", port: 9 }, decodeRelayInfo))?.key, info.key);
  assert.equal(await askAt(ask, { host: "8.1.8.8", port: 10 }, decodeRelayInfo), undefined);
  // Would catch a client that believes an answer about another address.
  const liar: Ask = () => Promise.resolve(wire({ r: [infoAt(2).bytes] }));
  assert.equal(await askAt(liar, { host: "8.1.8.8", port: 9 }, decodeRelayInfo), undefined);
});

test("a published relay enters the table once it was reached, and is not dialled again at once", async () => {
  const { table, clock, probed, ask } = serve();
  const keys = generateKeys("ed25519");
  const at = (timeS: number) => signedInfo({ timeS }, keys);
  assert.deepEqual([...(await ask(publishQuestion(at(NOW_S).bytes)))], [["ok", 1]]);
  assert.equal(table.get(at(NOW_S).key)?.proven, true);
  assert.equal((await ask(publishQuestion(at(NOW_S + 1).bytes))).get("ok"), 1);
  assert.equal(probed.length, 1);
  const moved = signedInfo({ timeS: NOW_S + 2, endpoints: [{ host: "9.9.9.9", port: 1 }] }, keys);
  await ask(publishQuestion(moved.bytes));
  assert.equal(probed.length, 2, "a new address must be dialled even right after the old one");
  clock.advance(LIMITS.probeAgainMs);
  await ask(publishQuestion(moved.bytes));
  assert.equal(probed.length, 3);
});

test("what cannot be a relay of this network is refused without a dial", async () => {
  // Would catch a relay that strangers can make dial into a private network.
  const { table, probed, ask } = serve();
  const refused = [
    signedInfo({ networkId: 8 }),
    signedInfo({ timeS: NOW_S - 90_000 }),
    signedInfo({ endpoints: [{ host: "192.168.1.1", port: 80 }] }),
    signedInfo({
      endpoints: [
        { host: "8.8.8.8", port: 80 },
        { host: "127.0.0.1", port: 80 },
      ],
    }),
  ];
  for (const info of refused) assert.equal(refusalOf(await ask(publishQuestion(info.bytes))), "refused");
  const forged = Buffer.from(infoAt(1).bytes);
  forged[forged.length - 60] = (forged[forged.length - 60] as number) ^ 1;
  assert.equal(refusalOf(await ask(publishQuestion(forged))), "bad");
  assert.equal(probed.length, 0);
  assert.equal(table.size, 0);
});

test("a relay that is not where it says is refused", async () => {
  const { table, ask } = serve(() => Promise.resolve(false));
  assert.equal(refusalOf(await ask(publishQuestion(infoAt(1).bytes))), "unreachable");
  assert.equal(table.size, 0);
});

test("one circuit has its burst and its rate, another its own", async () => {
  const { clock, ask, asking } = serve();
  const refusals = async (ask: Ask, count: number) => {
    let refused = 0;
    for (let n = 0; n < count; n++) if (refusalOf(await ask(sampleQuestion(1))) === "busy") refused++;
    return refused;
  };
  assert.equal(await refusals(ask, LIMITS.directoryBurstCount + 7), 7);
  assert.equal(await refusals(asking(2), 5), 0);
  clock.advance(3000);
  assert.equal(await refusals(ask, 5), 2);
});

/** Would catch: one circuit that publishes others' addresses one after the other. */
test("one circuit has few relays dialled; another has its own", async () => {
  const { ask, asking, clock, probed } = serve(() => Promise.resolve(false));
  const publish = async (by: Ask, n: number) => refusalOf(await by(publishQuestion(infoAt(n).bytes)));
  for (let n = 1; n <= LIMITS.publishBurstCount; n++) assert.equal(await publish(ask, n), "unreachable");
  assert.equal(await publish(ask, 99), "busy");
  assert.equal(await publish(asking(2), 99), "unreachable");
  clock.advance(1_000 / LIMITS.publishPerSecond);
  assert.equal(await publish(ask, 98), "unreachable");
  assert.equal(await publish(ask, 97), "busy");
  assert.equal(probed.length, LIMITS.publishBurstCount + 2);
});

test("dials are few, however many circuits publish, and one a relay at a time", async () => {
  // Would catch a relay that can be used to scan or to flood.
  const { probed, asking } = serve();
  for (let n = 0; n < 100; n++) await asking(n)(publishQuestion(infoAt(n).bytes));
  assert.equal(probed.length, LIMITS.probeBurstCount);

  const slow = serve(() => new Promise((resolve) => void setImmediate(() => resolve(true))));
  const { bytes } = infoAt(1);
  const answers = await Promise.all([1, 2, 3].map((circuit) => slow.asking(circuit)(publishQuestion(bytes))));
  assert.equal(slow.probed.length, 1);
  assert.deepEqual(answers.map(refusalOf), [undefined, "busy", "busy"]);
});

test("no question, however strange, does more than get a refusal", async () => {
  const { service } = serve();
  const value = fc.oneof(
    fc.integer(),
    fc.uint8Array({ maxLength: 40 }),
    fc.constant<Bencoded>([]),
    fc.constant<Bencoded>({}),
    fc.constantFrom(...["sample", "publish", "at", "gates"].map((kind) => Buffer.from(kind))),
  );
  let circuit = 0;
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom("q", "n", "i", "a", "x"), value), async (question) => {
      const answer = await service.answer(wire(question), circuit++);
      assert.ok("e" in answer || "r" in answer);
    }),
    { numRuns: 400 },
  );
  assert.equal(
    refusalOf(wire(await service.answer(wire({ ...atQuestion({ host: "8.8.8.8", port: 1 }), a: 5 }), 0))),
    "bad",
  );
});

/** Would catch: memory for every circuit that ever asked a relay something. */
test("as many circuits are remembered as may be; the first begins anew", async () => {
  const { asking } = serve();
  const ask = async (circuit: number) => refusalOf(await asking(circuit)({ q: Buffer.from("sample"), n: 1 }));
  for (let count = 0; count < LIMITS.directoryBurstCount; count++) assert.equal(await ask(1), undefined);
  assert.equal(await ask(1), "busy");
  for (let circuit = 2; circuit <= LIMITS.allowanceCircuits + 1; circuit++) await ask(circuit);
  assert.equal(await ask(1), undefined);
});
