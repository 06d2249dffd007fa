import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../../src/base/limits.ts";
import type { Endpoint } from "../../../src/net/channel.ts";
import { FoundEndpoints } from "../../../src/net/dht/found-endpoints.ts";

const place = (n: number): Endpoint => ({ host: `90.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, port: 9001 });
const node = (subnet: number, last = 1): Endpoint => ({ host: `7.7.${subnet}.${last}`, port: 6881 });

/** Would catch: a node on the way that hides a share by naming a thousand places before anybody else has answered. */
test("nodes of one subnet crowd nobody out, however many answer, and however early", () => {
  const found = new FoundEndpoints();
  for (let n = 0; n < 1_000; n++) found.add(place(n), node(1, n & 255));
  assert.equal(found.list().length, LIMITS.dhtResultsPerSubnet);
  const true1 = { host: "20.1.1.1", port: 9001 };
  found.add(true1, node(2));
  assert.deepEqual(found.list().at(-1), true1);
});

test("in all a bounded number is taken, and nothing twice", () => {
  const found = new FoundEndpoints();
  found.add(place(0), undefined);
  found.add(place(0), node(1));
  assert.equal(found.list().length, 1);
  for (let n = 0; n < 10_000; n++) found.add(place(n), node(n >> 5));
  assert.equal(found.list().length, LIMITS.dhtResults);
});
