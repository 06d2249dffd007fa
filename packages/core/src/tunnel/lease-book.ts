import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { shuffled, type Random } from "../base/random.ts";
import { isSharersLease, openLease, SEALED_LEASE_BYTES, type Lease } from "./lease.ts";
import { deriveEpoch, epochsAt, type EpochKeys, type ShareTopic } from "./topic.ts";

/**
 * Who handed a lease over. A gate names whoever has a circuit to it; a peer may name anybody, since whoever holds the link can make up
 * leases that open.
 */
export type LeaseOrigin = "gate" | "peer";

/** A lease that opened, with what it takes to use it and to pass it on. */
export interface KnownLease {
  /** Of the seeder behind it, for one run: see `seederName`. */
  readonly seeder: string;
  readonly lease: Lease;
  readonly keys: EpochKeys;
  readonly sealed: Buffer;
  readonly isSharers: boolean;
  /** Neither a gate has named the seeder nor a tunnel to it come up, and the sharer's key has not signed the lease. */
  readonly isHearsay: boolean;
}

interface Entry extends Omit<KnownLease, "isHearsay"> {
  /** A gate named the seeder or a tunnel to it came up, once. */
  proven: boolean;
  /** When that was last so; monotonic, undefined after it could not be reached. */
  aliveMs: number | undefined;
}

interface BookDeps {
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs">;
  readonly random: Random;
}

/** Lease key and tunnel key in hex: the sharer's computers have one lease key and a tunnel key each. */
export function seederName(keys: { readonly leaseKey: Buffer; readonly tunnelKey: Buffer }): string {
  return keys.leaseKey.toString("hex") + keys.tunnelKey.toString("hex");
}

/**
 * The leases of one share that a member knows, one a seeder: from gates and from peers. Whoever holds the link can make leases, so the
 * book is bounded, hearsay more so, and the sharer's own are never pushed out by others.
 */
export class LeaseBook {
  readonly #share: ShareTopic;
  readonly #deps: BookDeps;
  readonly #bySeeder = new Map<string, Entry>();
  #epochs: EpochKeys[] = [];

  constructor(share: ShareTopic, deps: BookDeps) {
    this.#share = share;
    this.#deps = deps;
  }

  /** The epochs in force now. */
  epochs(): readonly EpochKeys[] {
    const wanted = epochsAt(this.#share.topicSecret, this.#deps.clock.nowMs());
    this.#epochs = wanted.map(
      (epoch) => this.#epochs.find((keys) => keys.epoch === epoch) ?? deriveEpoch(this.#share, epoch),
    );
    return this.#epochs;
  }

  /**
   * Takes a sealed lease of any epoch in force; undefined when it is none, or over. Of two of one seeder the later one stays. `isNews` says
   * whether the book changed.
   */
  add(
    sealed: Uint8Array,
    origin: LeaseOrigin,
  ): { readonly seeder: string; readonly lease: Lease; readonly isNews: boolean } | undefined {
    if (sealed.length !== SEALED_LEASE_BYTES) return undefined;
    for (const keys of this.epochs()) {
      const lease = this.#open(keys, sealed);
      if (lease === undefined) continue;
      const seeder = seederName(lease);
      const isNews = this.#keep({ seeder, lease, keys, sealed: Buffer.from(sealed) }, origin);
      if (origin === "gate") this.markAlive(seeder);
      return { seeder, lease, isNews };
    }
    return undefined;
  }

  /** A tunnel to the seeder came up, or is up. */
  markAlive(seeder: string): void {
    const entry = this.#bySeeder.get(seeder);
    if (entry === undefined) return;
    entry.proven = true;
    entry.aliveMs = this.#deps.clock.monotonicMs();
  }

  /** The seeder could not be reached: not passed on again before it is, or a gate names it. */
  markDead(seeder: string): void {
    const entry = this.#bySeeder.get(seeder);
    if (entry !== undefined) entry.aliveMs = undefined;
  }

  /** Those that are not over: the sharer's first, hearsay last, otherwise in random order. */
  list(): KnownLease[] {
    return this.#ordered().map(known);
  }

  /** Those worth passing on (PROTOCOL 10.4): opened by everybody today, and alive a little while ago. */
  passable(): KnownLease[] {
    const { clock } = this.#deps;
    const epochs = new Set(this.epochs().map(({ epoch }) => epoch));
    const isAlive = ({ aliveMs }: Entry): boolean =>
      aliveMs !== undefined && clock.monotonicMs() - aliveMs < LIMITS.leaseAliveMs;
    return this.#ordered()
      .filter((entry) => isAlive(entry) && epochs.has(entry.keys.epoch))
      .filter(({ lease }) => lease.expirySeconds * 1000 > clock.nowMs())
      .map(known);
  }

  #ordered(): Entry[] {
    const nowMs = this.#deps.clock.nowMs();
    for (const [name, { lease }] of this.#bySeeder) {
      if (lease.expirySeconds * 1000 + LIMITS.leaseSkewMs <= nowMs) this.#bySeeder.delete(name);
    }
    const rank = (entry: Entry): number => (entry.isSharers ? 0 : entry.proven ? 1 : 2);
    return shuffled([...this.#bySeeder.values()], this.#deps.random).toSorted((a, b) => rank(a) - rank(b));
  }

  #open(keys: EpochKeys, sealed: Uint8Array): Lease | undefined {
    try {
      return openLease(keys, sealed, this.#deps.clock.nowMs());
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      return undefined;
    }
  }

  #keep(news: Pick<Entry, "seeder" | "lease" | "keys" | "sealed">, origin: LeaseOrigin): boolean {
    const held = this.#bySeeder.get(news.seeder);
    if (held !== undefined && held.lease.expirySeconds >= news.lease.expirySeconds) return false;
    const isSharers = isSharersLease(news.lease, this.#share.sharerFingerprint);
    if (held === undefined && !this.#makeRoom(origin === "peer" && !isSharers)) return false;
    const { proven, aliveMs } = held ?? { proven: false, aliveMs: undefined };
    this.#bySeeder.set(news.seeder, { ...news, isSharers, proven, aliveMs });
    return true;
  }

  /** Hearsay takes the place of hearsay alone, and of any, so that whoever comes first does not hold all of it. */
  #makeRoom(forHearsay: boolean): boolean {
    const ordered = this.#ordered();
    const hearsay = ordered.filter((entry) => known(entry).isHearsay);
    const full = ordered.length >= LIMITS.finderLeases;
    if (!full && !(forHearsay && hearsay.length >= LIMITS.finderHearsay)) return true;
    const others = forHearsay ? undefined : ordered.findLast((entry) => !entry.isSharers);
    const victim = hearsay.at(-1) ?? others;
    if (victim === undefined) return false;
    this.#bySeeder.delete(victim.seeder);
    return true;
  }
}

function known(entry: Entry): KnownLease {
  return { ...entry, isHearsay: !entry.proven && !entry.isSharers };
}
