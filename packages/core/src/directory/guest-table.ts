import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { shuffled, type Random } from "../base/random.ts";
import { hostName, isCurrent, type RelayInfo } from "./relay-info.ts";

/** Its host's word: this member keeps a channel of the guest. */
const ENOUGH_SOURCES = 2;

interface Guest {
  info: RelayInfo;
  /** Independent sources that named it. */
  readonly sources: Set<string>;
  proven: boolean;
}

export interface GuestTableDeps {
  readonly network: { readonly test: boolean };
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Random;
}

/**
 * The guests that a member knows (PROTOCOL 7.4), apart from the relays that can be dialled: nobody joins, asks or enters through a guest, so
 * whoever wants relays must not meet one by mistake. They are not kept from run to run, since their channels are not either.
 */
export class GuestTable {
  readonly #deps: GuestTableDeps;
  readonly #guests = new Map<string, Guest>();

  constructor(deps: GuestTableDeps) {
    this.#deps = deps;
  }

  get size(): number {
    this.#sweep();
    return this.#guests.size;
  }

  get(key: string): RelayInfo | undefined {
    this.#sweep();
    return this.#guests.get(key)?.info;
  }

  /** `info` is a guest's and acceptable; `source` is undefined for one whose channel this member keeps itself. */
  add(info: RelayInfo, source: string | undefined): "new" | "newer" | "known" | "refused" {
    this.#sweep();
    const known = this.#guests.get(info.key);
    const newer = known === undefined || info.timeS > known.info.timeS;
    if (newer && !this.#hasRoom(info, source, known)) return "refused";
    const guest = known ?? { info, sources: new Set<string>(), proven: false };
    if (newer) guest.info = info;
    if (source === undefined) guest.proven = true;
    else if (guest.sources.size < LIMITS.tableSourcesKept) guest.sources.add(source);
    this.#guests.set(info.key, guest);
    return known === undefined ? "new" : newer ? "newer" : "known";
  }

  /**
   * The guests behind a relay that a path may lead through: those that two sources have named, and that signed of late. In a test network, where
   * nothing independent is to be had, one source is enough.
   */
  behind(host: Pick<RelayInfo, "nodeKey">): RelayInfo[] {
    this.#sweep();
    const name = hostName(host.nodeKey);
    const least = this.#deps.network.test ? 1 : ENOUGH_SOURCES;
    const sinceS = (this.#deps.clock.nowMs() - LIMITS.guestLifeMs) / 1000;
    return [...this.#guests.values()]
      .filter(({ info, sources, proven }) => info.hosts?.includes(name) && (proven || sources.size >= least))
      .map(({ info }) => info)
      .filter(({ timeS }) => timeS >= sinceS);
  }

  sample(count: number): RelayInfo[] {
    this.#sweep();
    const infos = [...this.#guests.values()].map(({ info }) => info);
    return shuffled(infos, this.#deps.random).slice(0, count);
  }

  #hasRoom(info: RelayInfo, source: string | undefined, instead: Guest | undefined): boolean {
    const others = [...this.#guests.values()].filter((guest) => guest !== instead);
    if (others.length >= LIMITS.tableGuests) return false;
    const behind = (name: string): number =>
      others.filter((other) => other.info.hosts?.includes(name) === true).length;
    if (info.hosts?.every((name) => behind(name) < LIMITS.tableGuestsPerHost) !== true) return false;
    if (source === undefined || instead !== undefined) return true;
    const alone = others.filter(
      ({ sources, proven }) => !proven && sources.size === 1 && sources.has(source),
    );
    return alone.length < LIMITS.tableGuestsPerSource;
  }

  #sweep(): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const [key, { info }] of this.#guests) if (!isCurrent(info, nowMs)) this.#guests.delete(key);
  }
}
