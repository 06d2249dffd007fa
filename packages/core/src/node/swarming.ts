import type { BackroomError } from "../base/errors.ts";
import { silentLog, type Log } from "../base/log.ts";
import { generateKeys, type KeyPair } from "../crypto/keys.ts";
import type { PieceStore } from "../store/piece-store.ts";
import { createSwarm, type Swarm, type SwarmEvents, type SwarmLimits } from "../swarm/swarm.ts";
import { LeaseBook, seederName } from "../tunnel/lease-book.ts";
import type { SeederKeys } from "../tunnel/lease.ts";
import type { GateMemory } from "../tunnel/gate-choice.ts";
import type { SeederPlace, SeederPresence } from "../tunnel/seeder-presence.ts";
import type { ShareTopic } from "../tunnel/topic.ts";
import type { Client } from "./client.ts";
import { createLeasePool } from "./lease-pool.ts";
import { openPresence } from "./seeding.ts";

/**
 * How long a download runs before it hands out, too: two standing circuits and two proofs of work are lost on one that ends in seconds, as
 * its seeder goes when it ends.
 */
const SEED_AFTER_MS = 5_000;

export interface SwarmingOptions {
  readonly client: Pick<Client, "open" | "vet" | "machine">;
  readonly topic: ShareTopic;
  readonly store: PieceStore;
  /** The sharer's key for this share; everybody else signs leases with a fresh one. */
  readonly sharerKeys: KeyPair | undefined;
  readonly notGates: ReadonlySet<string>;
  /** Absent: gates of this run alone. */
  readonly gates?: GateMemory | undefined;
  /** Limits of speed that it shares with the member's other shares; absent: none. */
  readonly limits?: SwarmLimits | undefined;
  /** Where others find it already: then it registers nowhere by itself, and whoever comes there is given to `swarm`. */
  readonly seat?: Seat | undefined;
  readonly log?: Log;
}

/** A share's place among others', and the keys that it has there. */
export interface Seat {
  readonly seederKeys: SeederKeys;
  readonly place: Pick<SeederPlace, "gateCount" | "lease">;
}

/** The sharer's key for this share, or a fresh one, which everybody else signs leases with. */
export function newSeederKeys(sharerKeys: KeyPair | undefined): SeederKeys {
  return { leaseKeys: sharerKeys ?? generateKeys("ed25519"), tunnelKeys: generateKeys("x25519") };
}

/** What a download hears from its swarm. */
export interface SupplyEvents {
  onPeerClosed(peer: object, error: BackroomError | undefined): void;
  /** A peer passed on a lease that the book did not hold. */
  onNews(): void;
}

/** One share's swarm, what is known of its seeders and, once there is something to give, its presence at gates. */
export class Swarming {
  readonly swarm: Swarm;
  readonly book: LeaseBook;
  /** Our own name among the seeders. */
  readonly seeder: string;
  /** Rejects with why the swarm ended by itself: the disk. Fulfilled never. */
  readonly failed: Promise<never>;
  readonly #options: SwarmingOptions;
  readonly #seederKeys: SeederKeys;
  #presence: SeederPresence | undefined;
  #place: Seat["place"] | undefined;
  #cancelSeeding: (() => void) | undefined;
  #supply: SupplyEvents | undefined;
  #closed = false;

  constructor(options: SwarmingOptions, events: Pick<SwarmEvents, "onComplete" | "onPiece"> = {}) {
    this.#options = options;
    const { client, topic, store, sharerKeys } = options;
    const { clock, random } = client.machine;
    this.#seederKeys = options.seat?.seederKeys ?? newSeederKeys(sharerKeys);
    this.#place = options.seat?.place;
    this.seeder = seederName({
      leaseKey: this.#seederKeys.leaseKeys.publicBytes,
      tunnelKey: this.#seederKeys.tunnelKeys.publicBytes,
    });
    const failing = Promise.withResolvers<never>();
    this.failed = failing.promise;
    // Nobody may be waiting for it.
    this.failed.catch(() => {});
    this.book = new LeaseBook(topic, { clock, random });
    this.swarm = createSwarm({
      store,
      clock,
      random,
      log: options.log ?? silentLog,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      leases: createLeasePool(
        this.book,
        () => ({ seeder: this.seeder, lease: this.#place?.lease }),
        () => this.#supply?.onNews(),
      ),
      events: {
        ...events,
        onPiece: (piece) => {
          this.#seedSoon();
          events.onPiece?.(piece);
        },
        onPeerClosed: (peer, error) => this.#supply?.onPeerClosed(peer, error),
        onFailed: (error) => failing.reject(error),
      },
    });
    if (store.complete) this.seed();
    else if (store.haveCount() > 0) this.#seedSoon();
  }

  get gateCount(): number {
    return this.#place?.gateCount ?? 0;
  }

  set supply(events: SupplyEvents) {
    this.#supply = events;
  }

  /** Registers at gates, so that others fetch from here; at most once counts. */
  seed(): void {
    if (this.#closed || this.#place !== undefined) return;
    this.#presence = openPresence({ ...this.#options, log: this.#options.log ?? silentLog });
    this.#place = this.#presence.add({
      ...this.#options.topic,
      seederKeys: this.#seederKeys,
      onTunnel: (tunnel) => void this.swarm.addPeer(tunnel, { initiator: false }),
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancelSeeding?.();
    this.#presence?.close();
    this.swarm.close();
  }

  #seedSoon(): void {
    const { clock } = this.#options.client.machine;
    this.#cancelSeeding ??= clock.after(SEED_AFTER_MS, () => this.seed());
  }
}
