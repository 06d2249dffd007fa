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
