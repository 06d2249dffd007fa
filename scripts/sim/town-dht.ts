import { LIMITS } from "../../packages/core/src/base/limits.ts";
import { shuffled } from "../../packages/core/src/base/random.ts";
import type { Endpoint } from "../../packages/core/src/net/channel.ts";
import type { Dht } from "../../packages/core/src/net/dht/dht.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** A look-up visits some sixty nodes, several at a time. */
const LOOKUP_MS = 1_500;

/**
 * The DHT as gates and scouts see it, without its nodes: a look-up takes its time and gives as many of the announced places as an answer
 * holds, drawn at random. Anybody may announce anything: `crowd` does.
 */
export class TownDht {
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #places = new Map<string, Map<string, Endpoint>>();

  constructor(time: VirtualTime, random: SeededRandom) {
    this.#time = time;
    this.#random = random;
  }

  join(endpoint: Endpoint): Dht {
    const own = new Set<string>();
    return {
      port: endpoint.port,
      announce: (hash) => {
        own.add(hash.toString("hex"));
        this.#announce(hash, endpoint);
      },
      withdraw: (hash) => {
        own.delete(hash.toString("hex"));
        this.#placesOf(hash.toString("hex")).delete(endpoint.host);
      },
      lookup: async (hash) => {
        await this.#time.sleep(LOOKUP_MS);
        const places = [...this.#placesOf(hash.toString("hex")).values()];
        return shuffled(places, this.#random).slice(0, LIMITS.dhtResults);
      },
      addNodes() {},
      close: () => {
        for (const hash of own) this.#placesOf(hash).delete(endpoint.host);
        return Promise.resolve();
      },
    };
  }

  /** Somebody announces places at which there is no relay. */
  crowd(hash: Buffer, count: number): void {
    for (let index = 0; index < count; index++) {
      this.#announce(hash, { host: `90.${index >> 8}.${index & 255}.1`, port: 9001 });
    }
  }

  #announce(hash: Buffer, endpoint: Endpoint): void {
    this.#placesOf(hash.toString("hex")).set(endpoint.host, endpoint);
  }

  #placesOf(hash: string): Map<string, Endpoint> {
    const known = this.#places.get(hash) ?? new Map<string, Endpoint>();
    this.#places.set(hash, known);
    return known;
  }
}
