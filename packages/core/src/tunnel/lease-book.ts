import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { shuffled, type Random } from "../base/random.ts";
import { isSharersLease, openLease, SEALED_LEASE_BYTES, type Lease } from "./lease.ts";
import { deriveEpoch, epochsAt, type EpochKeys, type ShareTopic } from "./topic.ts";

/** A lease that opened, with what it takes to use it and to pass it on. */
export interface KnownLease {
  /** Of the seeder behind it, for one run: lease key and tunnel key in hex. The sharer's computers have one lease key and a tunnel key each. */
  readonly seeder: string;
  readonly lease: Lease;
  readonly keys: EpochKeys;
  readonly sealed: Buffer;
  readonly isSharers: boolean;
}

/**
 * The leases of one share that a downloader knows, one a seeder: from gates and from peers. Whoever holds the link can make leases,
 * so the book is bounded, and the sharer's own are never pushed out by others.
 */
export class LeaseBook {
  readonly #share: ShareTopic;
  readonly #deps: { readonly clock: Pick<Clock, "nowMs">; readonly random: Random };
  readonly #bySeeder = new Map<string, KnownLease>();
  #epochs: EpochKeys[] = [];

  constructor(share: ShareTopic, deps: { readonly clock: Pick<Clock, "nowMs">; readonly random: Random }) {
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

  /** Takes a sealed lease of any epoch in force; false when it is none, or no news. Of two of one seeder the later one stays. */
  add(sealed: Uint8Array): boolean {
    if (sealed.length !== SEALED_LEASE_BYTES) return false;
    for (const keys of this.epochs()) {
      const lease = this.#open(keys, sealed);
      if (lease !== undefined) return this.#keep(lease, keys, sealed);
    }
    return false;
  }

  /** Those that are not over: the sharer's first, the others in random order. */
  list(): KnownLease[] {
    const nowMs = this.#deps.clock.nowMs();
    for (const [name, { lease }] of this.#bySeeder) {
      if (lease.expirySeconds * 1000 + LIMITS.leaseSkewMs <= nowMs) this.#bySeeder.delete(name);
    }
    const known = shuffled([...this.#bySeeder.values()], this.#deps.random);
    return [...known.filter((one) => one.isSharers), ...known.filter((one) => !one.isSharers)];
  }

  #open(keys: EpochKeys, sealed: Uint8Array): Lease | undefined {
    try {
      return openLease(keys, sealed, this.#deps.clock.nowMs());
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      return undefined;
    }
  }

  #keep(lease: Lease, keys: EpochKeys, sealed: Uint8Array): boolean {
    const seeder = lease.leaseKey.toString("hex") + lease.tunnelKey.toString("hex");
    const held = this.#bySeeder.get(seeder);
    if (held !== undefined && held.lease.expirySeconds >= lease.expirySeconds) return false;
    const isSharers = isSharersLease(lease, this.#share.sharerFingerprint);
    if (held === undefined && this.#bySeeder.size >= LIMITS.finderLeases) {
      const victim = this.list().findLast((one) => !one.isSharers);
      if (victim === undefined) return false;
      this.#bySeeder.delete(victim.seeder);
    }
    this.#bySeeder.set(seeder, { seeder, lease, keys, sealed: Buffer.from(sealed), isSharers });
    return true;
  }
}
