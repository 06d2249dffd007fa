import { LIMITS } from "../../packages/core/src/base/limits.ts";
import { shuffled } from "../../packages/core/src/base/random.ts";
import { serveMessages } from "../../packages/core/src/circuit/messages.ts";
import { SERVICE, type ServiceHandler } from "../../packages/core/src/circuit/stream.ts";
import { infosAnswer } from "../../packages/core/src/directory/questions.ts";
import type { RelayServices } from "../../packages/core/src/node/relay-services.ts";
import { deriveEpoch, epochsAt, type ShareTopic } from "../../packages/core/src/tunnel/topic.ts";
import { seededRandom } from "./seeded-random.ts";
import { TOWN_PORT, type Ground, type TownRelay } from "./town-relay.ts";

export interface HostileOptions {
  /** Each a scout that names its own kind alone, and a gate of every share that hands out no lease. */
  readonly relays: number;
  /** Places without a relay that are announced for every share besides. */
  readonly crowd: number;
  /** They answer what a seeder asks about its own tag, as an honest gate would. */
  readonly isSmart?: boolean;
}

type Handlers = RelayServices["handlers"];

/**
 * Relays of somebody who has every link and wants nobody to find a seeder. They carry circuits as they should: what is looked at is
 * look-ups. Counts whom members asked.
 */
export class HostileRelays {
  readonly relays: readonly TownRelay[];
  readonly asked = { scouts: 0, lyingScouts: 0, gates: 0, emptyGates: 0 };
  readonly #ground: Ground;
  readonly #crowd: number;
  readonly #isSmart: boolean;
  readonly #random = seededRandom("hostile answers");

  constructor(ground: Ground, options: HostileOptions | undefined, create: (index: number) => TownRelay) {
    this.#ground = ground;
    this.#crowd = options?.crowd ?? 0;
    this.#isSmart = options?.isSmart === true;
    this.relays = Array.from({ length: options?.relays ?? 0 }, (_, index) => create(index));
    for (const relay of this.relays) relay.alter = (handlers) => this.#lie(handlers);
  }

  start(): void {
    for (const relay of this.relays) relay.start();
  }

  /** For an honest relay: counts who asks it. */
  watch(handlers: Handlers): void {
    const counted = (handler: ServiceHandler | undefined, count: () => void): ServiceHandler | undefined =>
      handler === undefined
        ? undefined
        : (...args) => {
            count();
            return handler(...args);
          };
    Object.assign(handlers, {
      [SERVICE.scout]: counted(handlers[SERVICE.scout], () => this.asked.scouts++),
      [SERVICE.leases]: counted(handlers[SERVICE.leases], () => this.asked.gates++),
    });
  }

  /** Announces the share wherever it can, as its gates do. */
  attack(share: ShareTopic): void {
    for (const epoch of epochsAt(share.topicSecret, this.#ground.time.nowMs())) {
      const { topicHash } = deriveEpoch(share, epoch);
      for (const { host } of this.relays)
        this.#ground.dht.join({ host, port: TOWN_PORT }).announce(topicHash);
      this.#ground.dht.crowd(topicHash, this.#crowd);
    }
  }

  #lie(handlers: Handlers): void {
    handlers[SERVICE.scout] = (stream) => {
      this.asked.scouts++;
      this.asked.lyingScouts++;
      return serveMessages(stream, () => {
        const own = shuffled(this.relays, this.#random).slice(0, LIMITS.scoutGates);
        return infosAnswer(own.map((relay) => relay.info()));
      });
    };
    handlers[SERVICE.leases] = (stream) => {
      this.asked.gates++;
      this.asked.emptyGates++;
      const terms = this.#isSmart ? { n: Buffer.alloc(16), w: 0 } : {};
      return serveMessages(stream, (question) => (question.has("g") ? terms : { l: [], ...terms }));
    };
    delete handlers[SERVICE.connect];
  }
}
