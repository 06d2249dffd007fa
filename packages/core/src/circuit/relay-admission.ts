import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import type { Channel } from "../net/channel.ts";
import type { ChannelMux } from "./channel-mux.ts";
import { HandshakeQueue } from "./handshake-queue.ts";
import type { Leg } from "./leg.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface RelayAdmissionDeps {
  readonly clock: Clock;
  isRelay(channel: Channel): boolean;
  /** How many circuits there are, DATA frames that wait in all of them, and for how long they will at the relay's limit of speed. */
  load(): { readonly circuits: number; readonly queuedBytes: number; readonly backlogMs: number };
  /** How late the event loop is lately. */
  lagMs(): number;
}

export interface CreateRequest {
  readonly leg: Leg;
  readonly message: Buffer;
  serve(message: Buffer): void;
  refuse(): void;
}

interface NeighbourBounds {
  asRelay: boolean;
  handshakes: TokenBucket;
  extendsMax: number;
  extends: number;
}

/**
 * Which new circuits and extensions a relay takes on. Whoever is there already keeps what it has: overload, of memory or of time, only
 * refuses what is new.
 */
export class RelayAdmission {
  readonly #deps: RelayAdmissionDeps;
  readonly #bounds = new WeakMap<ChannelMux, NeighbourBounds>();
  readonly #handshakes: HandshakeQueue;
  #extends = 0;

  constructor(deps: RelayAdmissionDeps) {
    this.#deps = deps;
    this.#handshakes = new HandshakeQueue(deps.clock);
  }

  /** CREATEs that wait for their turn. */
  get waiting(): number {
    return this.#handshakes.waiting;
  }

  /** Serves the CREATE now or soon, or refuses it. */
  create(mux: ChannelMux, request: CreateRequest): void {
    if (this.#overloaded() || !this.#boundsOf(mux).handshakes.take()) return request.refuse();
    // A copy: it lies in a chunk of many frames, which is not to stay for as long as it waits.
    const message = Buffer.from(request.message);
    let waits = false;
    this.#handshakes.offer(mux, {
      get gone() {
        return !request.leg.alive;
      },
      serve: () => (waits && this.#overloaded() ? request.refuse() : request.serve(message)),
      refuse: () => request.refuse(),
    });
    waits = true;
  }

  /** A place among the extensions under way for circuits of this neighbour, or undefined when all are taken. */
  takeExtendSlot(mux: ChannelMux): (() => void) | undefined {
    const neighbour = this.#boundsOf(mux);
    if (neighbour.extends >= neighbour.extendsMax || this.#extends >= LIMITS.extendsTotal) return undefined;
    neighbour.extends++;
    this.#extends++;
    return () => {
      neighbour.extends--;
      this.#extends--;
    };
  }

  close(): void {
    this.#handshakes.close();
  }

  #overloaded(): boolean {
    const { circuits, queuedBytes, backlogMs } = this.#deps.load();
    if (circuits >= LIMITS.circuitsTotal || queuedBytes >= LIMITS.relayQueueBytes) return true;
    return backlogMs >= LIMITS.relayBacklogMs || this.#deps.lagMs() >= LIMITS.relayLagMs;
  }

  #boundsOf(mux: ChannelMux): NeighbourBounds {
    const known = this.#bounds.get(mux);
    const asRelay = this.#deps.isRelay(mux.channel);
    // A relay may be heard of after it came.
    if (known !== undefined && known.asRelay === asRelay) return known;
    const burst = asRelay ? LIMITS.handshakeBurstPerRelay : LIMITS.handshakeBurstPerClient;
    const rate = asRelay ? LIMITS.handshakesPerSecondPerRelay : LIMITS.handshakesPerSecondPerClient;
    const extendsMax = asRelay ? LIMITS.extendsPerRelay : LIMITS.extendsPerClient;
    const handshakes = new TokenBucket(this.#deps.clock, burst, rate);
    // The same one, for extensions under way give their places back to it.
    const bounds: NeighbourBounds = Object.assign(known ?? { extends: 0 }, {
      asRelay,
      handshakes,
      extendsMax,
    });
    this.#bounds.set(mux, bounds);
    return bounds;
  }
}
