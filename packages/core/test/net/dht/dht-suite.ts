import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../../src/base/errors.ts";
import type { Endpoint } from "../../../src/net/channel.ts";
import type { Dht } from "../../../src/net/dht/dht.ts";

/** Nodes that know each other; `announced` is what the first of them announces itself as. */
export interface DhtWorld {
  readonly nodes: readonly [Dht, Dht];
  readonly announced: Endpoint;
  close(): Promise<void>;
}

const HASH = Buffer.alloc(20, 0xd1);
/** Counted, not timed: on a slow machine each takes longer. */
const MOST_QUESTIONS = 500;

/** Asks until the answer is this long: a DHT is not at once of one mind. `meanwhile` runs between two questions. */
export async function lookupUntil(
  dht: Dht,
  hash: Buffer,
  length: number,
  meanwhile: () => void = () => {},
): Promise<Endpoint[]> {
  for (let asked = 0; asked < MOST_QUESTIONS; asked++) {
    meanwhile();
    // One question after the other is the point.
    // oxlint-disable-next-line no-await-in-loop
    const found = await dht.lookup(hash);
    if (found.length === length) return found;
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail("it was never found");
}

/** Runs the obligations of `Dht` against one kind of it. */
export function dhtSuite(kind: string, createWorld: () => Promise<DhtWorld>): void {
  test(
    `${kind}: what one node announces another one finds, once, and not after close`,
    { timeout: 60_000 },
    async () => {
      const world = await createWorld();
      const [announcer, seeker] = world.nodes;
      try {
        assert.deepEqual(await seeker.lookup(HASH), []);
        announcer.announce(HASH);
        announcer.announce(HASH);
        assert.deepEqual(await lookupUntil(seeker, HASH, 1), [world.announced]);
        assert.deepEqual(await seeker.lookup(Buffer.alloc(20, 0xd2)), []);
        announcer.withdraw(HASH);
        announcer.withdraw(HASH);
        seeker.addNodes([{ host: "not an address", port: 1 }]);
        await seeker.close();
        await assert.rejects(seeker.lookup(HASH), (error) => isBackroomError(error, "E_DHT"));
        seeker.announce(HASH);
      } finally {
        await world.close();
      }
    },
  );
}
