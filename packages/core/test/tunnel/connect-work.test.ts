import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "../../src/base/random.ts";
import {
  decodeConnect,
  encodeConnect,
  hasConnectWork,
  solveConnect,
  type ConnectRequest,
} from "../../src/tunnel/connect-work.ts";
import { decoderSuite } from "../support/decoder-suite.ts";

const gateKey = systemRandom.bytes(32);
const tag = systemRandom.bytes(16);
const nonce = systemRandom.bytes(16);

decoderSuite({
  name: "connect arguments",
  samples: [
    Buffer.alloc(16, 1),
    encodeConnect({ tag, work: { nonce, effort: 2 ** 32 - 1, solution: Buffer.alloc(8, 3) } }),
  ],
  decode: decodeConnect,
  encode: encodeConnect,
  validPrefix: (length) => length === 16,
});

test("work is for one gate, nonce, tag and effort, and none of it can be changed", async () => {
  const work = await solveConnect(
    gateKey,
    tag,
    { nonce, effort: 4 },
    { random: systemRandom, mayGoOn: () => true },
  );
  assert.ok(work);
  const good: ConnectRequest = { tag, work };
  assert.ok(hasConnectWork(gateKey, good));
  const others: [Buffer, ConnectRequest][] = [
    [systemRandom.bytes(32), good],
    [gateKey, { tag: systemRandom.bytes(16), work }],
    [gateKey, { tag, work: { ...work, nonce: systemRandom.bytes(16) } }],
    [gateKey, { tag, work: { ...work, effort: 1 } }],
    [gateKey, { tag, work: { ...work, solution: systemRandom.bytes(8) } }],
    [gateKey, { tag, work: undefined }],
  ];
  // At effort 4 one hash in 4,096 fits by chance.
  const passed = others.filter(([key, request]) => hasConnectWork(key, request));
  assert.ok(passed.length <= 1, `${passed.length} changed works pass`);
});

/** Would catch: an effort that asks for more or less work than PROTOCOL 8 says. */
test("an effort of 1 stands for 1,024 hashes: of random solutions that share fits", () => {
  const fitting = (effort: number): number => {
    let count = 0;
    for (let attempt = 0; attempt < 20_000; attempt++) {
      const solution = Buffer.alloc(8);
      solution.writeUInt32BE(attempt);
      if (hasConnectWork(gateKey, { tag, work: { nonce, effort, solution } })) count++;
    }
    return count;
  };
  const [one, fifty] = [fitting(1), fitting(50)];
  // 19.5 expected: fewer than 4 or more than 45 of them come once in a million runs.
  assert.ok(one >= 4 && one <= 45, `${one} fit`);
  assert.ok(fifty <= 8, `${fifty} fit a fifty times harder one`);
});

test("a search gives way to other work, and stops when it is told to", async () => {
  let turns = 0;
  const work = await solveConnect(
    gateKey,
    tag,
    { nonce, effort: 2 ** 32 - 1 },
    { random: systemRandom, mayGoOn: () => ++turns < 5 },
  );
  assert.deepEqual([work, turns], [undefined, 5]);
});

/** Would catch: two downloaders of one seeder whose work is the same, so that the second is taken for a replay. */
test("whoever works for the same finds something else", async () => {
  const solve = () =>
    solveConnect(gateKey, tag, { nonce, effort: 1 }, { random: systemRandom, mayGoOn: () => true });
  const found = await Promise.all([solve(), solve(), solve()]);
  assert.equal(new Set(found.map((work) => work?.solution.toString("hex"))).size, 3);
});
