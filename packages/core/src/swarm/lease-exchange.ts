import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";
import { SEALED_LEASE_BYTES } from "../tunnel/lease.ts";

/** Our name in `m` of the extension handshake, and the extended id under which we take the messages. */
export const LEASES_EXTENSION = "br_leases";
export const LEASES_ID = 1;

/** What a swarm has to do with leases, which it neither opens nor makes. Neither function throws. */
export interface LeasePool {
  /** A sealed lease from a peer, copied if kept; undefined when it does not open or is over. */
  take(sealed: Buffer): LeaseName | undefined;
  /** Leases worth passing on, best first. */
  offer(): readonly OfferedLease[];
}

interface LeaseName {
  readonly seeder: string;
  readonly expirySeconds: number;
}

export interface OfferedLease extends LeaseName {
  readonly sealed: Buffer;
  /** Ours. Whoever opened a tunnel does not say which seeder it is; whoever was called is known by it already. */
  readonly isOwn: boolean;
}

/** While there is nothing to say, this is how often to look: downloads of a minute gain from it, too. */
const LOOK_AGAIN_MS = 5_000;

/** Sealed leases, nothing before, between or behind them: `2076 sealed lease`, one to LIMITS.peerLeasesPerMessage times. */
export function encodeLeases(sealed: readonly Buffer[]): Buffer {
  return Buffer.concat(sealed);
}

/** Raises E_WIRE. The leases lie in the payload's memory: whoever keeps one copies it. */
export function decodeLeases(payload: Buffer): Buffer[] {
  const count = payload.length / SEALED_LEASE_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > LIMITS.peerLeasesPerMessage) {
    throw new BackroomError("E_WIRE", "a message with leases is of a length that it cannot have");
  }
  const startOf = (index: number): number => index * SEALED_LEASE_BYTES;
  return Array.from({ length: count }, (_, index) => payload.subarray(startOf(index), startOf(index + 1)));
}

export interface LeaseExchangeOptions {
  readonly clock: Clock;
  readonly isInitiator: boolean;
  /** The seeder behind the tunnel where we know it: it is not told of itself. */
  readonly seeder: string | undefined;
}

/** Leases passed on to one peer and taken from it (PROTOCOL 10.4). */
export class LeaseExchange {
  readonly #pool: LeasePool;
  readonly #isInitiator: boolean;
  readonly #allowance: TokenBucket;
  /** Seeders that the peer knows, with the expiry of their lease, and the peer itself. Oldest first. */
  readonly #known = new Map<string, number>();
  #notBeforeMs = -Infinity;
  #badCount = 0;

  constructor(pool: LeasePool, { clock, isInitiator, seeder }: LeaseExchangeOptions) {
    this.#pool = pool;
    this.#isInitiator = isInitiator;
    this.#allowance = new TokenBucket(clock, LIMITS.peerLeasesBurst, 1000 / LIMITS.peerLeasesRefillMs);
    if (seeder !== undefined) this.#known.set(seeder, Infinity);
  }

  /** The next message for the peer, as often as that is allowed; undefined while there is no news for it. */
  next(nowMs: number): Buffer | undefined {
    if (nowMs < this.#notBeforeMs) return undefined;
    const news = this.#pool.offer().filter((lease) => this.#isNews(lease));
    const said = news.slice(0, LIMITS.peerLeasesPerMessage);
    for (const lease of said) this.#remember(lease);
    this.#notBeforeMs = nowMs + (said.length > 0 ? LIMITS.peerLeasesEveryMs : LOOK_AGAIN_MS);
    return said.length > 0 ? encodeLeases(said.map(({ sealed }) => sealed)) : undefined;
  }

  /** A message of the peer. Raises E_WIRE for its form, E_PEER_FLOOD for too many, or too many that are none. */
  receive(payload: Buffer): void {
    const leases = decodeLeases(payload);
    if (!this.#allowance.take()) throw new BackroomError("E_PEER_FLOOD", "a peer passes on leases too often");
    for (const sealed of leases) {
      const taken = this.#pool.take(sealed);
      if (taken !== undefined) this.#remember(taken);
      else if (++this.#badCount > LIMITS.peerBadLeases) {
        throw new BackroomError("E_PEER_FLOOD", "a peer passes on leases that do not open");
      }
    }
  }

  #isNews({ seeder, expirySeconds, isOwn }: OfferedLease): boolean {
    return expirySeconds > (this.#known.get(seeder) ?? 0) && !(isOwn && this.#isInitiator);
  }

  #remember({ seeder, expirySeconds }: LeaseName): void {
    const heldSeconds = this.#known.get(seeder) ?? 0;
    this.#known.delete(seeder);
    this.#known.set(seeder, Math.max(heldSeconds, expirySeconds));
    if (this.#known.size <= LIMITS.peerLeasesRemembered) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
