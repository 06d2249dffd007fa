import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LIMITS } from "../../src/base/limits.ts";
import { isVouched, PROVEN } from "../../src/directory/table.ts";
import { namedSource, sourceOf } from "../../src/directory/subnets.ts";
import {
  localEndpoint,
  NETWORK,
  NOW_S,
  plainInfo,
  plainInfos,
  publicHost,
  tableWith,
  TEST_NETWORK,
} from "./fixtures.ts";

const [A, B, C] = ["a", "b", "c"].map(namedSource) as [string, string, string];

test("the newest time of a node key wins, and an older one does not come back", () => {
  const { table } = tableWith();
  const at = (timeS: number, port: number) => ({
    ...plainInfo(1, "8.8.8.8"),
    timeS,
    endpoints: [{ host: "8.8.8.8", port }],
  });
  assert.equal(table.add(at(NOW_S, 1), A), "new");
  assert.equal(table.add(at(NOW_S + 5, 2), A), "newer");
  assert.equal(table.add(at(NOW_S, 1), A), "known");
  assert.equal(table.get(at(0, 0).key)?.info.endpoints[0]?.port, 2);
  // The old address must not be found any more, or a DHT answer leads to a port nobody listens on.
  assert.equal(table.at({ host: "8.8.8.8", port: 1 }), undefined);
  assert.equal(table.at({ host: "8.8.8.8", port: 2 })?.timeS, NOW_S + 5);
});

test("infos of another network, of another day and of private addresses are refused", () => {
  const { table } = tableWith();
  assert.equal(table.add(plainInfo(1, "8.8.8.8", { networkId: 8 }), A), "refused");
  assert.equal(table.add(plainInfo(1, "8.8.8.8", { timeS: NOW_S - 86_401 }), A), "refused");
  assert.equal(table.add(plainInfo(1, "8.8.8.8", { timeS: NOW_S + 3 * 3600 + 1 }), A), "refused");
  assert.equal(table.add(plainInfo(1, "10.0.0.1"), A), "refused");
  const mixed = { endpoints: [{ host: "8.8.8.8", port: 1 }, localEndpoint(2)] };
  assert.equal(table.add(plainInfo(1, "8.8.8.8", mixed), A), "refused");
  assert.equal(table.size, 0);
});

test("stale infos leave, and free their places", () => {
  const { table, clock } = tableWith();
  for (let n = 0; n < LIMITS.tablePerSubnet; n++)
    assert.equal(table.add(plainInfo(n, `8.8.8.${n + 1}`), PROVEN), "new");
  const late = (number: number) => plainInfo(number, "8.8.8.99", { timeS: NOW_S + 86_000 });
  assert.equal(table.add(late(50), A), "refused");
  clock.advance(86_500_000);
  assert.equal(table.size, 0);
  assert.equal(table.add(late(50), A), "new");
});

test("a relay is vouched for by two independent sources, or by this member's own dial", () => {
  const { table } = tableWith();
  const info = plainInfo(1, "8.8.8.8");
  const vouched = () => isVouched(table.get(info.key) ?? { sources: [], proven: false });
  table.add(info, A);
  table.add(info, A);
  assert.equal(vouched(), false);
  table.add(info, B);
  assert.equal(vouched(), true);
  const other = plainInfo(2, "9.9.9.9");
  table.add(other, PROVEN);
  assert.equal(isVouched(table.get(other.key) ?? { sources: [], proven: false }), true);
});

test("relays of one subnet are one source, in a test network each is its own", () => {
  const [x, y] = [plainInfo(1, "8.8.8.8"), plainInfo(2, "8.8.8.9")];
  assert.equal(sourceOf(x, NETWORK), sourceOf(y, NETWORK));
  assert.notEqual(sourceOf(x, TEST_NETWORK), sourceOf(y, TEST_NETWORK));
});

test("a relay that moves has to prove itself again", () => {
  // Would catch a relay that earns trust at its own address and then claims somebody else's.
  const { table } = tableWith();
  const victim = plainInfo(2, "9.9.9.9");
  table.add(plainInfo(1, "8.8.8.8"), PROVEN);
  table.add(plainInfo(1, "9.9.9.9", { timeS: NOW_S + 1 }), A);
  assert.equal(table.get(plainInfo(1, "").key)?.proven, false);
  table.add(victim, PROVEN);
  assert.equal(table.at({ host: "9.9.9.9", port: 9001 })?.key, victim.key);
});

test("false claims cannot keep a real relay out of its own subnet", () => {
  const { table } = tableWith();
  for (let n = 0; n < LIMITS.tablePerSubnet; n++) table.add(plainInfo(n, `8.8.8.${n + 1}`), A);
  assert.equal(table.add(plainInfo(100, "8.8.8.100"), B), "refused");
  assert.equal(table.add(plainInfo(100, "8.8.8.100"), PROVEN), "new");
  assert.equal(table.size, LIMITS.tablePerSubnet);
});

test("a hundred thousand keys out of few subnets take no more than those subnets' places", () => {
  const { table } = tableWith();
  const honest = plainInfos(300);
  for (const [n, info] of honest.entries()) table.add(info, n % 2 === 0 ? A : B);
  const subnets = 20;
  for (let n = 0; n < 100_000; n++) {
    const host = `200.${n % subnets}.7.${n % 251}`;
    table.add(plainInfo(1_000_000 + n, host), [A, B, C][n % 3] as string);
  }
  assert.equal(table.size, 300 + subnets * LIMITS.tablePerSubnet);
  for (const info of honest) assert.ok(table.get(info.key) !== undefined);
});

test("a flood out of many subnets by one source takes an eighth, and flushes nobody who is vouched for", () => {
  const { table } = tableWith();
  const vouched = plainInfos(1000);
  for (const info of vouched) {
    table.add(info, B);
    table.add(info, C);
  }
  for (let n = 0; n < 100_000; n++) table.add(plainInfo(1_000_000 + n, publicHost(n, 9)), A);
  assert.ok(table.size <= 1000 + LIMITS.tablePerSource);
  for (const info of vouched) assert.ok(table.get(info.key) !== undefined);
});

test("a full table stays at its bound, keeps who is vouched for, and lets others be replaced", () => {
  const { table } = tableWith();
  const source = (n: number) => namedSource(`s${n % 40}`);
  for (let n = 0; n < 9000; n++) {
    const info = plainInfo(n, publicHost(n, 3));
    table.add(info, source(n));
    if (n < 2000) table.add(info, source(n + 1));
  }
  assert.equal(table.size, LIMITS.tableInfos);
  for (let n = 0; n < 2000; n++) assert.ok(table.get(plainInfo(n, "").key) !== undefined);
  // A table that only ever refuses would keep the first flood for good.
  assert.ok(table.entries().some(({ info }) => info.nodeKey.readUInt32BE(28) > 8000));
});

test("paths are picked among vouched relays once there are fifty and nearly all are, before that among all", () => {
  const { table } = tableWith();
  const infos = plainInfos(60);
  for (const info of infos) table.add(info, A);
  for (const info of infos.slice(0, 53)) table.add(info, B);
  assert.equal(table.forPaths().length, 60);
  table.add(infos[53] as (typeof infos)[0], B);
  assert.deepEqual(new Set(table.forPaths()), new Set(infos.slice(0, 54)));
  const small = tableWith().table;
  for (const info of infos.slice(0, 49)) for (const source of [A, B]) small.add(info, source);
  small.add(infos[49] as (typeof infos)[0], A);
  assert.equal(small.forPaths().length, 50);
});

/** Would catch: one source of several that makes relays up and so stands on most paths of a small network. */
test("of what one source alone has named no more is used than is vouched for, or than of another source", () => {
  const { table } = tableWith();
  const infos = plainInfos(100);
  for (const info of infos.slice(0, 12)) for (const source of [A, B]) table.add(info, source);
  for (const info of infos.slice(12, 52)) table.add(info, A);
  assert.equal(table.forPaths().length, 12 + 12);
  for (const info of infos.slice(52, 72)) table.add(info, B);
  assert.equal(table.forPaths().length, 12 + 20 + 20);
});

test("an attacker's relays, most of a table, that two of its own vouch for do not become all that paths are picked from", () => {
  const { table } = tableWith();
  const infos = plainInfos(250);
  const [own, honest] = [infos.slice(0, 150), infos.slice(150)];
  for (const info of own) {
    table.add(info, A);
    table.add(info, B);
  }
  for (const info of honest) table.add(info, C);
  assert.equal(table.forPaths().length, 250);
});

test("samples are different relays, all of the table, and each as likely as another", () => {
  const { table } = tableWith();
  for (const info of plainInfos(50)) table.add(info, PROVEN);
  assert.equal(new Set(table.sample(1000).map((info) => info.key)).size, 50);
  const counts = new Map<string, number>();
  for (let n = 0; n < 4000; n++) {
    const sample = table.sample(5);
    assert.equal(new Set(sample).size, 5);
    for (const { key } of sample) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  // 400 expected; five standard deviations are 95.
  for (const count of counts.values()) assert.ok(Math.abs(count - 400) < 95, `${count}`);
  assert.equal(counts.size, 50);
});

test("whatever is added, the counts that bound the table stay those of its entries", () => {
  // Would catch a count that drifts: then a subnet is locked for good, or its bound stops holding.
  const step = fc.record({
    relay: fc.nat(30),
    subnet: fc.nat(3),
    age: fc.nat(50),
    source: fc.constantFrom<string | typeof PROVEN>(A, B, C, PROVEN),
    wait: fc.constantFrom(0, 0, 0, 40_000_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { table, clock } = tableWith();
      for (const { relay, subnet, age, source, wait } of steps) {
        clock.advance(wait);
        const timeS = Math.floor(clock.nowMs() / 1000) - age;
        table.add(plainInfo(relay, `8.8.${subnet}.${relay + 1}`, { timeS }), source);
      }
      const perSubnet = Map.groupBy(table.entries(), ({ info }) => info.endpoints[0]?.host.split(".")[2]);
      for (const entries of perSubnet.values()) assert.ok(entries.length <= LIMITS.tablePerSubnet);
      clock.advance(90_000_000);
      assert.equal(table.size, 0);
      const timeS = Math.floor(clock.nowMs() / 1000);
      // Everything is free again, subnet by subnet.
      for (let n = 0; n < 4 * LIMITS.tablePerSubnet; n++) {
        assert.equal(table.add(plainInfo(n, `8.8.${n % 4}.${n + 1}`, { timeS }), A), "new");
      }
    }),
    { numRuns: 60 },
  );
});

/** Would catch: one provider's customers, or whoever rents its machines, that fill the table together. */
test("one provider's block holds so many relays and no more", () => {
  const { table } = tableWith();
  let taken = 0;
  for (let n = 0; n < 2 * LIMITS.tablePerBlock; n++) {
    if (table.add(plainInfo(n, `8.8.${n}.1`), PROVEN) === "new") taken++;
  }
  assert.equal(taken, LIMITS.tablePerBlock);
  assert.equal(table.add(plainInfo(9_999, "8.9.1.1"), PROVEN), "new");
});

test("no more sources are kept for a relay than are needed", () => {
  const { table } = tableWith();
  const info = plainInfo(1, "8.8.8.8");
  for (let n = 0; n < 3 * LIMITS.tableSourcesKept; n++) table.add(info, namedSource(`source ${n}`));
  assert.equal(table.get(info.key)?.sources.length, LIMITS.tableSourcesKept);
});
