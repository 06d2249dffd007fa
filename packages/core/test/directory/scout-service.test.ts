import assert from "node:assert/strict";
import { test } from "node:test";
import type { BencodedDict } from "../../src/base/bencode.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import type { Endpoint } from "../../src/net/channel.ts";
import {
  askGates,
  atQuestion,
  gatesQuestion,
  infosAnswer,
  type Ask,
  type AskRelay,
} from "../../src/directory/questions.ts";
import { decodeRelayInfo } from "../../src/directory/relay-info.ts";
import { createScoutService } from "../../src/directory/scout-service.ts";
import { namedSource } from "../../src/directory/subnets.ts";
import { NETWORK, seededRandom, signedInfo, tableWith, refusalOf, wire } from "./fixtures.ts";

const TOPIC = Buffer.alloc(20, 1);
const endpointOf = (n: number): Endpoint => ({ host: `8.${n >> 8}.${n & 255}.8`, port: 9 });
const infoAt = (n: number, gate = true) => signedInfo({ endpoints: [endpointOf(n)], gate });

function scout(
  named: readonly Endpoint[],
  askRelay: AskRelay = () => Promise.reject(new BackroomError("E_UNREACHABLE", "away")),
) {
  const { table, clock } = tableWith();
  const asked: BencodedDict[] = [];
  const state = { lookups: 0, fail: false };
  const service = createScoutService({
    table,
    clock,
    network: NETWORK,
    random: seededRandom(1),
    decodeInfo: decodeRelayInfo,
    lookup: () => {
      state.lookups++;
      return state.fail
        ? Promise.reject(new BackroomError("E_UNREACHABLE", "no DHT"))
        : Promise.resolve(named);
    },
    askRelay: (relay, question) => (asked.push(wire(question)), askRelay(relay, question)),
  });
  const asking =
    (circuit: number): Ask =>
    async (question) =>
      wire(await service.answer(wire(question), circuit));
  return {
    table,
    clock,
    asked,
    state,
    asking,
    gates: (circuit = 1) => askGates(asking(circuit), TOPIC, decodeRelayInfo),
  };
}

test("addresses that the DHT names become the signed infos of gates that the table knows", async () => {
  const { table, gates } = scout([endpointOf(1), endpointOf(2), endpointOf(1)]);
  const [gate, plain] = [infoAt(1), infoAt(2, false)];
  table.add(gate, namedSource("a"));
  table.add(plain, namedSource("a"));
  assert.deepEqual(
    (await gates()).map((info) => info.key),
    [gate.key],
  );
});

test("an unknown address is asked about, and the answer must be a relay at that address", async () => {
  const unknown = infoAt(3);
  const wrong = scout([endpointOf(3)], () => Promise.resolve(wire(infosAnswer([infoAt(4)]))));
  wrong.table.add(infoAt(9), namedSource("a"));
  assert.deepEqual(await wrong.gates(), []);
  assert.deepEqual(wrong.asked[0], wire(atQuestion(endpointOf(3))));
  assert.equal(wrong.table.size, 1);

  const right = scout([endpointOf(3)], () => Promise.resolve(wire(infosAnswer([unknown]))));
  right.table.add(infoAt(9), namedSource("a"));
  assert.deepEqual(
    (await right.gates()).map((info) => info.key),
    [unknown.key],
  );
  assert.equal(right.table.get(unknown.key)?.proven, false, "hearsay must stay hearsay");
});

test("a DHT answer full of addresses costs a bounded number of questions and names at most 16 gates", async () => {
  // Would catch a scout that anybody who announces a thousand ports can make ask thousands of questions.
  const flood = Array.from({ length: 3000 }, (_, n) => endpointOf(n));
  const some = scout(flood);
  for (let n = 5000; n < 5010; n++) some.table.add(infoAt(n), namedSource("a"));
  assert.deepEqual(await some.gates(), []);
  assert.ok(some.asked.length <= 2 * LIMITS.scoutMisses);

  const all = scout(flood.slice(0, 60));
  for (let n = 0; n < 60; n++) all.table.add(infoAt(n), namedSource("a"));
  assert.equal((await all.gates()).length, LIMITS.scoutGates);
});

test("private addresses out of the DHT are not even asked about", async () => {
  const { table, asked, gates } = scout([{ host: "192.168.1.1", port: 80 }]);
  table.add(infoAt(9), namedSource("a"));
  assert.deepEqual(await gates(), []);
  assert.equal(asked.length, 0);
});

test("one lookup serves all who ask within a minute, then there is another", async () => {
  const { table, clock, state, gates } = scout([endpointOf(1)]);
  table.add(infoAt(1), namedSource("a"));
  await Promise.all([gates(1), gates(2), gates(3)]);
  assert.equal(state.lookups, 1);
  clock.advance(LIMITS.scoutCacheMs);
  await gates(4);
  assert.equal(state.lookups, 2);
});

test("a lookup that fails is refused and not remembered", async () => {
  const { state, asking, gates } = scout([]);
  state.fail = true;
  assert.equal(refusalOf(await asking(1)(gatesQuestion(TOPIC))), "unreachable");
  state.fail = false;
  assert.deepEqual(await gates(), []);
});

test("lookups are few for one circuit, and for all together", async () => {
  const { state, asking } = scout([]);
  const topic = (n: number) => Buffer.alloc(20, n + 1);
  for (let n = 0; n < 20; n++) await asking(1)(gatesQuestion(topic(n)));
  assert.equal(state.lookups, LIMITS.scoutBurstCount);
  for (let n = 0; n < 200; n++) await asking(10 + n)(gatesQuestion(topic(n)));
  assert.equal(state.lookups, LIMITS.scoutAllBurstCount);
});

test("questions of another form are refused", async () => {
  const { asking, state } = scout([]);
  const ask = asking(1);
  for (const question of [
    gatesQuestion(Buffer.alloc(19)),
    { q: Buffer.from("sample") },
    { ...gatesQuestion(TOPIC), t: 1 },
  ]) {
    assert.equal(refusalOf(await ask(question)), "bad");
  }
  assert.equal(state.lookups, 0);
});

/** Would catch: a cache that grows with every topic that somebody makes up. */
test("the look-ups that are remembered are bounded, the first is forgotten first", async () => {
  const { asking, clock, state } = scout([]);
  const topicOf = (n: number): Buffer => {
    const topic = Buffer.alloc(20);
    topic.writeUInt32BE(n);
    return topic;
  };
  let circuit = 0;
  const lookUp = (n: number) => askGates(asking(++circuit), topicOf(n), decodeRelayInfo);
  await lookUp(0);
  // Within the time that an answer is remembered there are fewer look-ups than places: a clock that stands lets none of them go by age.
  for (let n = 1; n <= LIMITS.scoutCacheCount && state.lookups < LIMITS.scoutAllBurstCount; n++)
    await lookUp(n);
  assert.equal(state.lookups, LIMITS.scoutAllBurstCount);
  await assert.rejects(lookUp(9_999));
  await lookUp(1);
  assert.equal(state.lookups, LIMITS.scoutAllBurstCount, "what was just looked up is looked up again");
  clock.advance(LIMITS.scoutCacheMs);
  await lookUp(1);
  assert.equal(state.lookups, LIMITS.scoutAllBurstCount + 1);
});

test("of thousands of addresses that the DHT names a bounded number is looked at", async () => {
  const { table, gates } = scout(Array.from({ length: 2_000 }, (_, n) => endpointOf(n)));
  let looked = 0;
  const at = table.at.bind(table);
  table.at = (endpoint) => (looked++, at(endpoint));
  await gates();
  assert.equal(looked, LIMITS.scoutEndpoints);
});
