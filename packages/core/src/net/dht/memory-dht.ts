import { BackroomError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Endpoint } from "../channel.ts";
import type { Dht } from "./dht.ts";

/** A DHT inside one process, for tests: all nodes that joined it share one table, and what is announced is found at once. */
export class MemoryDht {
  readonly #announced = new Map<string, Map<string, Endpoint>>();

  /** A node at this host whose announcements name `port`. */
  join(host: string, port: number): Dht {
    const own = new Set<string>();
    const name = `${host} ${port}`;
    let closed = false;
    const withdraw = (key: string): void => {
      own.delete(key);
      this.#announced.get(key)?.delete(name);
    };
    return {
      port,
      announce: (hash) => {
        const key = hash.toString("hex");
        if (closed || own.size >= LIMITS.dhtAnnounced) return;
        own.add(key);
        const endpoints = this.#announced.get(key) ?? new Map<string, Endpoint>();
        this.#announced.set(key, endpoints.set(name, { host, port }));
      },
      withdraw: (hash) => withdraw(hash.toString("hex")),
      lookup: async (hash) => {
        if (closed) throw new BackroomError("E_DHT", "this node has left the DHT");
        const endpoints = this.#announced.get(hash.toString("hex"))?.values() ?? [];
        return [...endpoints].slice(0, LIMITS.dhtResults);
      },
      addNodes() {},
      async close() {
        closed = true;
        for (const key of own) withdraw(key);
      },
    };
  }
}
