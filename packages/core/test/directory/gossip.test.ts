import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { generateKeys, type KeyPair } from "../../src/crypto/keys.ts";
import { createDirectoryService, type QuestionService } from "../../src/directory/directory-service.ts";
import { createGossip, type Gossip } from "../../src/directory/gossip.ts";
import { createRelayInfoDecoder, type RelayInfo } from "../../src/directory/relay-info.ts";
import { namedSource } from "../../src/directory/subnets.ts";
import { RelayTable } from "../../src/directory/table.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NETWORK, NOW_S, refusalOf, seededRandom, signedInfo, wire } from "./fixtures.ts";

interface Node {
  readonly keys: KeyPair;
  readonly table: RelayTable;
  readonly gossip: Gossip;
  own(): RelayInfo;
  up: boolean;
}

/** Relays that ask each other directly. Each knows the first one from the start. */
function village(count: number) {
  const clock = new ManualClock(NOW_S * 1000);
  const decodeInfo = createRelayInfoDecoder();
  const nodes: Node[] = [];
  const asked: string[] = [];
  const services = new Map<string, QuestionService>();
  let circuit = 0;
  for (let n = 0; n < count; n++) {
    const random = seededRandom(n + 1);
    const keys = generateKeys("ed25519");
    const table = new RelayTable({ network: NETWORK, clock, random });
    const own = () =>
      signedInfo(
        { endpoints: [{ host: `20.${n}.1.1`, port: 9 }], timeS: Math.floor(clock.nowMs() / 1000) },
        keys,
      );
    const service = createDirectoryService({
      table,
      clock,
      network: NETWORK,
      decodeInfo,
      probe: (info) =>
        Promise.resolve(nodes.some((node) => node.up && node.keys.publicBytes.equals(info.nodeKey))),
    });
    services.set(keys.publicBytes.toString("hex"), service);
    const gossip = createGossip({
      table,
      clock,
      network: NETWORK,
      random,
      decodeInfo,
      log: silentLog,
      ownInfo: () => own().bytes,
      seek: async () => {
        if (n > 0) table.add((nodes[0] as Node).own(), namedSource("invite"));
        return Promise.resolve();
      },
      askRelay: async (relay, question) => {
        asked.push(relay.key);
        const target = nodes.find((node) => node.keys.publicBytes.equals(relay.nodeKey));
        if (target?.up !== true) throw new BackroomError("E_UNREACHABLE", "away");
        const answer = wire((await services.get(relay.key)?.answer(wire(question), circuit++)) ?? {});
        if (refusalOf(answer) !== undefined) throw new BackroomError("E_REFUSED", "refused");
        return answer;
      },
    });
    nodes.push({ keys, table, gossip, own, up: true });
  }
  return { clock, nodes, asked };
}

/** Lets promises that wait for no clock run out. */
const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));

test("relays that know only the first one know all within a few rounds, by more than one source", async () => {
  const { nodes } = village(30);
  for (let round = 0; round < 6; round++) for (const node of nodes) await node.gossip.round();
  for (const { table } of nodes) assert.equal(table.size, 30);
  const vouched = nodes
    .flatMap(({ table }) => table.entries())
    .filter(({ sources, proven }) => proven || sources.length > 1);
  assert.ok(vouched.length > 0.9 * 900, `${vouched.length} of 900`);
});

test("a relay that went away is forgotten after a day, and does not stop the others", async () => {
  const { nodes, clock } = village(6);
  const gone = nodes[3] as Node;
  for (let round = 0; round < 4; round++) for (const node of nodes) await node.gossip.round();
  gone.up = false;
  for (let hour = 0; hour < 26; hour++) {
    clock.advance(3_600_000);
    for (const node of nodes) if (node.up) await node.gossip.round();
  }
  for (const node of nodes) {
    if (!node.up) continue;
    assert.equal(node.table.get(gone.own().key), undefined);
    assert.equal(node.table.size, 5);
  }
});

test("rounds come quickly at first, then every five minutes, and stop when told", async () => {
  const { nodes, clock, asked } = village(2);
  const { gossip } = nodes[1] as Node;
  gossip.start();
  gossip.start();
  await settle();
  const first = asked.length;
  assert.equal(first, 2, "a sample and a publication, once");
  const roundsIn = async (ms: number) => {
    const before = asked.length;
    for (let passed = 0; passed < ms; passed += 1000) {
      clock.advance(1000);
      await settle();
    }
    return (asked.length - before) / 2;
  };
  const early = await roundsIn(60_000);
  assert.ok(early >= 2 && early <= 5, `${early} rounds in the first minute`);
  await roundsIn(1_200_000);
  const late = await roundsIn(3_600_000);
  assert.ok(late >= 9 && late <= 16, `${late} rounds in an hour`);
  gossip.stop();
  assert.equal(await roundsIn(1_200_000), 0);
});
