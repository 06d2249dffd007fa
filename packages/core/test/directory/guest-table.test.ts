import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { hostName, type RelayInfo, type RelayInfoFields } from "../../src/directory/relay-info.ts";
import { namedSource } from "../../src/directory/subnets.ts";
import { PROVEN } from "../../src/directory/table.ts";
import { NETWORK, NOW_S, plainInfo, publicHost, tableWith, TEST_NETWORK } from "./fixtures.ts";

const host = plainInfo(1, publicHost(1));
const other = plainInfo(2, publicHost(2));
const source = (n: number): string => namedSource(`source ${n}`);

function guest(
  number: number,
  hosts: readonly RelayInfo[] = [host],
  more: Partial<RelayInfoFields> = {},
): RelayInfo {
  const names = hosts.map(({ nodeKey }) => hostName(nodeKey)).sort();
  return plainInfo(1000 + number, "", { endpoints: [], hosts: names, gate: false, scout: false, ...more });
}

test("a guest is never among the relays that are sampled, entered through, asked or saved", () => {
  const { table } = tableWith();
  assert.equal(table.add(guest(1), PROVEN), "new");
  assert.equal(table.add(guest(2), source(1)), "new");
  assert.deepEqual([table.size, table.sample(9), table.entries(), table.forPaths()], [0, [], [], []]);
  assert.equal(table.guests.size, 2);
  assert.equal(table.restore({ info: guest(3), firstSeenS: NOW_S, sources: [], proven: true }), false);
});

test("a guest is of use once two sources have named it, or its host says so; one source is enough in a test network", () => {
  const { table } = tableWith();
  table.add(guest(1), source(1));
  assert.deepEqual(table.guests.behind(host), []);
  table.add(guest(1), source(1));
  assert.deepEqual(table.guests.behind(host), []);
  table.add(guest(1), source(2));
  table.add(guest(2), PROVEN);
  assert.deepEqual(
    table.guests.behind(host).map(({ key }) => key),
    [guest(1).key, guest(2).key],
  );
  assert.deepEqual(table.guests.behind(other), []);
  const small = tableWith(TEST_NETWORK).table;
  small.add(guest(1), source(1));
  assert.equal(small.guests.behind(host).length, 1);
});

test("the newest info of a guest counts, and one of yesterday is gone", () => {
  const { table, clock } = tableWith();
  const moved = guest(1, [other], { timeS: NOW_S + 60 });
  table.add(guest(1), PROVEN);
  assert.equal(table.add(moved, PROVEN), "newer");
  assert.equal(table.add(guest(1), PROVEN), "known");
  assert.deepEqual([table.guests.behind(host).length, table.guests.behind(other).length], [0, 1]);
  clock.advance(LIMITS.guestLifeMs + 60_000);
  assert.equal(table.guests.behind(other).length, 1);
  clock.advance(1000);
  assert.deepEqual([table.guests.behind(other).length, table.guests.size], [0, 1]);
  clock.advance(LIMITS.relayInfoLifeMs);
  assert.equal(table.guests.size, 0);
});

test("neither one source, nor guests of one host, nor guests altogether fill more than their bound", () => {
  const { table } = tableWith();
  const alone = (n: number): RelayInfo[] => [plainInfo(5000 + n, publicHost(n))];
  for (let n = 0; n < LIMITS.tableGuestsPerSource + 5; n++) table.add(guest(n, alone(n)), source(1));
  assert.equal(table.guests.size, LIMITS.tableGuestsPerSource);
  for (let n = 2000; n < 2000 + LIMITS.tableGuestsPerHost + 5; n++) table.add(guest(n), source(n));
  assert.equal(table.guests.size, LIMITS.tableGuestsPerSource + LIMITS.tableGuestsPerHost);
  for (let n = 4000; n < 4000 + LIMITS.tableGuests; n++) table.add(guest(n, alone(n)), source(n));
  assert.equal(table.guests.size, LIMITS.tableGuests);
  // One that is known is still renewed.
  assert.equal(table.add(guest(2000, [host], { timeS: NOW_S + 1 }), source(2000)), "newer");
  assert.equal(table.add(guest(9999, [other], NETWORK.test ? {} : { timeS: NOW_S }), source(7)), "refused");
});
