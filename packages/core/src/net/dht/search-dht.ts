import type { Clock } from "../../base/clock.ts";
import { isBackroomError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { Endpoint } from "../channel.ts";
import { startDht } from "./dht.ts";

export interface DhtSearch {
  readonly hash: Buffer;
  /** The nodes to begin with, and no others. */
  readonly nodes: readonly Endpoint[];
  readonly testNetwork: boolean;
}

/** A DHT is not at once of one mind, least of all one that was entered a moment ago: before another try, doubled each time. */
const PAUSE_MS = 500;

/** Enters the DHT for as long as one search takes, announcing nothing. Gives what `Dht.lookup` does; nothing where it cannot be entered. */
export async function searchDht(
  search: DhtSearch,
  deps: { readonly clock: Clock; readonly log: Log },
): Promise<Endpoint[]> {
  const { hash, nodes, testNetwork } = search;
  if (nodes.length === 0) return [];
  try {
    const dht = await startDht({ port: 0, bootstrap: nodes, testNetwork, ...deps });
    try {
      return await searchWith((wanted) => dht.lookup(wanted), hash, deps.clock);
    } finally {
      await dht.close();
    }
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return [];
  }
}

async function searchWith(
  lookup: (hash: Buffer) => Promise<Endpoint[]>,
  hash: Buffer,
  clock: Clock,
): Promise<Endpoint[]> {
  const untilMs = clock.monotonicMs() + LIMITS.dhtLookupMs;
  for (let pauseMs = PAUSE_MS; ; pauseMs *= 2) {
    const found = await lookup(hash);
    if (found.length > 0 || clock.monotonicMs() + pauseMs >= untilMs) return found;
    await new Promise<void>((resolve) => void clock.after(pauseMs, resolve));
  }
}
