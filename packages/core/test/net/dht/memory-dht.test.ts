import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../../src/base/limits.ts";
import { MemoryDht } from "../../../src/net/dht/memory-dht.ts";
import { dhtSuite } from "./dht-suite.ts";

dhtSuite("memory", async () => {
  const dht = new MemoryDht();
  const announced = { host: "192.0.2.1", port: 4000 };
  const nodes = [dht.join(announced.host, announced.port), dht.join("192.0.2.2", 4001)] as const;
  return {
    nodes,
    announced,
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
});

test("one node announces so many hashes and no more", async () => {
  const dht = new MemoryDht();
  const node = dht.join("8.8.8.8", 1);
  const hashOf = (index: number): Buffer => {
    const hash = Buffer.alloc(20);
    hash.writeUInt32BE(index);
    return hash;
  };
  for (let index = 0; index <= LIMITS.dhtAnnounced; index++) node.announce(hashOf(index));
  assert.equal((await node.lookup(hashOf(LIMITS.dhtAnnounced - 1))).length, 1);
  assert.equal((await node.lookup(hashOf(LIMITS.dhtAnnounced))).length, 0);
});
