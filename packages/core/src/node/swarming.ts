import { systemClock } from "../base/clock.ts";
import type { BackroomError } from "../base/errors.ts";
import { silentLog } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { KeyPair } from "../crypto/keys.ts";
import type { PieceStore } from "../store/piece-store.ts";
import { createSwarm, type Swarm, type SwarmEvents } from "../swarm/swarm.ts";
import type { SeederPresence } from "../tunnel/seeder-presence.ts";
import type { ShareTopic } from "../tunnel/topic.ts";
import type { Client } from "./client.ts";
import { startSeeding } from "./seeding.ts";

export interface SwarmingOptions {
  readonly client: Client;
  readonly topic: ShareTopic;
  readonly store: PieceStore;
  readonly sharerKeys: KeyPair | undefined;
  readonly notGates: ReadonlySet<string>;
}

/** One share's swarm and, once there is something to give, its presence at gates. */
export class Swarming {
  readonly swarm: Swarm;
  readonly #options: SwarmingOptions;
  #presence: SeederPresence | undefined;
  #onPeerClosed: SwarmEvents["onPeerClosed"];
  #failure: BackroomError | undefined;

  constructor(options: SwarmingOptions, events: SwarmEvents = {}) {
    this.#options = options;
    this.swarm = createSwarm({
      store: options.store,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      events: {
        ...events,
        onPiece: (piece) => {
          this.seed();
          events.onPiece?.(piece);
        },
        onPeerClosed: (peer, error) => this.#onPeerClosed?.(peer, error),
        onFailed: (error) => {
          this.#failure = error;
          events.onFailed?.(error);
        },
      },
    });
    if (options.store.haveCount() > 0) this.seed();
  }

  /** Why the swarm ended by itself: the disk. */
  get failure(): BackroomError | undefined {
    return this.#failure;
  }

  get gateCount(): number {
    return this.#presence?.gateCount ?? 0;
  }

  set onPeerClosed(handler: SwarmEvents["onPeerClosed"]) {
    this.#onPeerClosed = handler;
  }

  /** Registers at gates, so that others fetch from here; at most once counts. */
  seed(): void {
    const { client, topic, sharerKeys, notGates } = this.#options;
    this.#presence ??= startSeeding({
      client,
      topic,
      sharerKeys,
      notGates,
      swarm: this.swarm,
      log: silentLog,
    });
  }

  close(): void {
    this.#presence?.close();
    this.swarm.close();
  }
}
