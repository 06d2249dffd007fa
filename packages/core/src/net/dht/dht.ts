import type { Clock } from "../../base/clock.ts";
import { BackroomError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { Endpoint } from "../channel.ts";
import { DhtProcess } from "./dht-process.ts";

/**
 * The Mainline DHT (BEP 5) as gates and scouts use it. Implementations: a process of its own, and memory for tests. Both run
 * `test/net/dht/dht-suite.ts`. Obligations:
 *
 * - `announce` keeps a hash announced, under this node's announce port, until `withdraw`; both never throw, and a second call changes
 *   nothing. Beyond LIMITS.dhtAnnounced hashes it does nothing. Other nodes forget a withdrawn hash within the hour.
 * - `lookup` gives at most LIMITS.dhtResults distinct endpoints, unauthenticated: whoever likes is in it. A miss, a time-out and a DHT that is
 *   down give what was found until then, mostly nothing. Raises E_DHT when too many lookups wait already, and after `close`.
 * - `addNodes` tells of nodes that may speak DHT; names and IPv6 are ignored.
 * - After `close` nothing is left: no process, no socket.
 */
export interface Dht {
  /** The UDP port that is really bound. */
  readonly port: number;
  announce(hash: Buffer): void;
  withdraw(hash: Buffer): void;
  lookup(hash: Buffer): Promise<Endpoint[]>;
  addNodes(nodes: readonly Endpoint[]): void;
  close(): Promise<void>;
}

export interface DhtOptions {
  /** UDP; 0 lets the system choose. */
  readonly port: number;
  /** The IPv4 address to bind; all by default. */
  readonly host?: string;
  /** The TCP port that announcements name; the UDP port by default. */
  readonly announcePort?: number;
  /** The nodes to begin with, and no others: possibly none. */
  readonly bootstrap: readonly Endpoint[];
  /** Whether private addresses may be contacted. */
  readonly testNetwork?: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Starts the DHT in a process of its own. Raises E_PORT_IN_USE or E_LISTEN. */
export async function startDht(options: DhtOptions): Promise<Dht> {
  const child = new DhtProcess(options);
  const port = await child.start();
  return new ProcessDht(child, port, options);
}

interface Lookup {
  readonly hash: string;
  done(found: readonly Endpoint[]): void;
}

/** Queues what the process has to do, and repeats announcements, which the library never does. */
class ProcessDht implements Dht {
  readonly port: number;
  readonly #child: DhtProcess;
  readonly #clock: Clock;
  readonly #log: Log;
  /** What is announced, each with what cancels its next round. */
  readonly #announced = new Map<string, { cancel(): void }>();
  /** Hashes and lookups whose turn has not come. */
  readonly #dueHashes = new Set<string>();
  readonly #lookups: Lookup[] = [];
  #running = 0;
  #closed = false;

  constructor(child: DhtProcess, port: number, { clock, log }: Pick<DhtOptions, "clock" | "log">) {
    this.#child = child;
    this.port = port;
    this.#clock = clock;
    this.#log = log;
    child.onRestart = () => {
      for (const hash of this.#announced.keys()) this.#announceNow(hash);
    };
  }

  announce(hash: Buffer): void {
    const key = hash.toString("hex");
    if (this.#closed || this.#announced.has(key) || this.#announced.size >= LIMITS.dhtAnnounced) return;
    this.#announced.set(key, { cancel() {} });
    this.#announceNow(key);
  }

  withdraw(hash: Buffer): void {
    const key = hash.toString("hex");
    this.#announced.get(key)?.cancel();
    this.#announced.delete(key);
    this.#dueHashes.delete(key);
  }

  lookup(hash: Buffer): Promise<Endpoint[]> {
    if (this.#closed || this.#lookups.length >= LIMITS.dhtWaitingLookups) {
      return Promise.reject(new BackroomError("E_DHT", "the DHT takes no more questions"));
    }
    return new Promise((resolve) => {
      this.#lookups.push({ hash: hash.toString("hex"), done: (found) => resolve([...found]) });
      this.#next();
    });
  }

  addNodes(nodes: readonly Endpoint[]): void {
    this.#child.addContacts(nodes);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const state of this.#announced.values()) state.cancel();
    this.#announced.clear();
    this.#dueHashes.clear();
    for (const lookup of this.#lookups.splice(0)) lookup.done([]);
    await this.#child.close();
  }

  #announceNow(key: string): void {
    this.#announced.get(key)?.cancel();
    this.#dueHashes.add(key);
    this.#next();
  }

  /** Lookups first: somebody waits for them. */
  #next(): void {
    while (this.#running < LIMITS.dhtJobs && !this.#closed) {
      const lookup = this.#lookups.shift();
      const [hash] = this.#dueHashes;
      if (lookup !== undefined) this.#run("lookup", lookup.hash, ({ found }) => lookup.done(found));
      else if (hash !== undefined) this.#runAnnouncement(hash);
      else return;
    }
  }

  #runAnnouncement(hash: string): void {
    this.#dueHashes.delete(hash);
    const state = this.#announced.get(hash);
    this.#run("announce", hash, ({ takenCount }) => {
      // Withdrawn meanwhile, and perhaps announced again.
      if (state === undefined || this.#announced.get(hash) !== state) return;
      const waitMs = takenCount > 0 ? LIMITS.dhtAnnounceMs : LIMITS.dhtAnnounceAgainMs;
      state.cancel();
      state.cancel = this.#clock.after(waitMs, () => this.#announceNow(hash));
    });
  }

  #run(...[kind, hash, done]: Parameters<DhtProcess["run"]>): void {
    this.#running++;
    const sinceMs = this.#clock.monotonicMs();
    this.#child.run(kind, hash, (result) => {
      this.#running--;
      const tookMs = this.#clock.monotonicMs() - sinceMs;
      const { found, takenCount } = result;
      if (kind === "lookup") this.#log("debug", "the DHT was asked", { foundCount: found.length, tookMs });
      else this.#log("debug", "a topic was announced", { takenCount, tookMs });
      done(result);
      this.#next();
    });
  }
}
