import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { Fifo } from "./fifo.ts";
import { TokenBucket } from "./token-bucket.ts";

/** A CREATE that may have to wait. */
export interface PendingHandshake {
  /** Its circuit is gone by now. */
  readonly gone: boolean;
  /** Costs half a millisecond. */
  serve(): void;
  refuse(): void;
}

interface Waiting {
  readonly handshake: PendingHandshake;
  readonly untilMs: number;
}

/** How often those that wait are looked at: a few handshakes at a time, so that frames of live circuits pass in between. */
const TURN_MS = 10;

/**
 * A relay's time for handshakes, shared fairly: at once while there is some left, and then in turns of the neighbours, one each. So a neighbour
 * that asks without end makes itself wait, not the one that asks once.
 */
export class HandshakeQueue {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  /** In the order of their turns; those without anything waiting are not there. */
  readonly #neighbours = new Map<object, Fifo<Waiting>>();
  #waiting = 0;
  #cancelTurn: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(clock, LIMITS.handshakeBurstTotal, LIMITS.handshakesPerSecondTotal);
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Serves it now or later, or refuses it. */
  offer(neighbour: object, handshake: PendingHandshake): void {
    if (this.#waiting === 0 && this.#bucket.take()) return handshake.serve();
    const own = this.#neighbours.get(neighbour) ?? new Fifo<Waiting>();
    if (own.length >= LIMITS.handshakesWaitingPerChannel) return handshake.refuse();
    if (this.#waiting >= LIMITS.handshakesWaiting && !this.#makeRoom(own.length)) return handshake.refuse();
    own.push({ handshake, untilMs: this.#clock.monotonicMs() + LIMITS.handshakeWaitMs });
    this.#neighbours.set(neighbour, own);
    this.#waiting++;
    this.#cancelTurn ??= this.#clock.after(TURN_MS, () => this.#turn());
  }

  close(): void {
    this.#cancelTurn?.();
    this.#neighbours.clear();
    this.#waiting = 0;
  }

  #turn(): void {
    this.#cancelTurn = undefined;
    const nowMs = this.#clock.monotonicMs();
    while (this.#waiting > 0 && this.#bucket.ready) {
      const next = this.#next();
      if (next === undefined) break;
      if (next.handshake.gone) continue;
      if (next.untilMs <= nowMs) {
        next.handshake.refuse();
        continue;
      }
      this.#bucket.take();
      next.handshake.serve();
    }
    if (this.#waiting > 0) this.#cancelTurn ??= this.#clock.after(TURN_MS, () => this.#turn());
  }

  /** The oldest of the neighbour whose turn it is, who then comes last. */
  #next(): Waiting | undefined {
    const [first] = this.#neighbours;
    if (first === undefined) return undefined;
    const [neighbour, own] = first;
    this.#neighbours.delete(neighbour);
    const waiting = own.shift();
    this.#waiting--;
    if (own.length > 0) this.#neighbours.set(neighbour, own);
    return waiting;
  }

  /** The oldest of the neighbour that has most waiting goes, if that is more than the newcomer's neighbour has: it is the next to be late. */
  #makeRoom(ownCount: number): boolean {
    const [most] = [...this.#neighbours.values()].toSorted((a, b) => b.length - a.length);
    if (most === undefined || most.length <= ownCount + 1) return false;
    const victim = most.shift();
    this.#waiting--;
    if (victim?.handshake.gone === false) victim.handshake.refuse();
    return true;
  }
}
