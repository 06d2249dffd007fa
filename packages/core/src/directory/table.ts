import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Endpoint } from "../net/channel.ts";
import { isAcceptable } from "./acceptable.ts";
import { addressKey } from "./address.ts";
import { GuestTable } from "./guest-table.ts";
import { isCurrent, isGuest, type RelayInfo } from "./relay-info.ts";
import { blocksOf, subnetsOf } from "./subnets.ts";

/** What a table knows of one relay. */
export interface TableEntry {
  readonly info: RelayInfo;
  readonly firstSeenS: number;
  /** Independent sources (`sourceOf`) that named the relay, at most LIMITS.tableSourcesKept. */
  readonly sources: readonly string[];
  /** This member has reached the relay itself: its key answered at its address. */
  readonly proven: boolean;
}

export interface TableDeps {
  readonly network: { readonly id: number; readonly test: boolean };
  readonly clock: Clock;
  readonly random: Random;
}

/** A source for `add`: somebody's word, or this member's own dial. */
export const PROVEN = Symbol("proven");
export type InfoSource = string | typeof PROVEN;
export type Added = "new" | "newer" | "known" | "refused";

interface Entry {
  info: RelayInfo;
  firstSeenS: number;
  sources: string[];
  proven: boolean;
  /** Its place in #keys. */
  index: number;
}

/** How many random entries are looked at to find one that may go. */
const EVICTION_TRIES = 16;
const SWEEP_MS = 60_000;
/** As many as make a network more than small (DESIGN 2). */
const ENOUGH_VOUCHED = 50;
/** Of a table that much has to be vouched for: an attacker's relays are named by its own again and again, and are vouched for long before most honest ones. */
const NEARLY_ALL = 0.9;
/** Relays that a source may name alone, however few the others do: in a network of a dozen they must not be half of it. */
const HEARSAY_OF_SOURCE = 8;

/**
 * The relay infos that a member knows (PROTOCOL 7.1, DESIGN 7), at most LIMITS.tableInfos. A relay is *vouched for* once two independent
 * sources have named it, or this member reached it. Vouched relays leave only when their info goes stale, so a flood of new keys
 * can displace nothing but other unvouched ones, within bounds a subnet, a provider's block and a source.
 */
export class RelayTable {
  readonly #deps: TableDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #keys: string[] = [];
  readonly #byAddress = new Map<string, Set<string>>();
  /** Entries by subnet and by block (names differ in length), and unvouched entries by source. */
  readonly #places = new Map<string, number>();
  readonly #perSource = new Map<string, number>();
  #sweptMs = -Infinity;
  /** What is said of relays below does not hold of these: nobody can dial them. */
  readonly guests: GuestTable;

  constructor(deps: TableDeps) {
    this.#deps = deps;
    this.guests = new GuestTable(deps);
  }

  get size(): number {
    this.#sweep();
    return this.#entries.size;
  }

  /** "refused": another network, not of today, not dialable, or no room within the bounds. The newest time of a node key wins. */
  add(info: RelayInfo, source: InfoSource): Added {
    if (!this.#acceptable(info)) return "refused";
    if (isGuest(info)) return this.guests.add(info, source === PROVEN ? undefined : source);
    this.#sweep();
    const entry = this.#entries.get(info.key);
    if (entry === undefined) return this.#addNew(info, source);
    if (info.timeS <= entry.info.timeS) {
      this.#vouch(entry, source);
      return "known";
    }
    if (!this.#hasRoom(info, entry.info)) return "refused";
    this.#unplace(entry.info);
    this.#charge(entry, -1);
    // What was proven is the key at its old addresses: a relay must not claim somebody else's on the strength of that.
    if (!sameEndpoints(info, entry.info)) entry.proven = false;
    entry.info = info;
    this.#charge(entry, 1);
    this.#place(info);
    this.#vouch(entry, source);
    return "newer";
  }

  get(key: string): TableEntry | undefined {
    this.#sweep();
    return this.#entries.get(key);
  }

  /** Whether it knows that relay at these very addresses from more than one stranger's word. */
  has(info: RelayInfo): boolean {
    const entry = this.#entries.get(info.key);
    return entry !== undefined && isVouched(entry) && sameEndpoints(entry.info, info);
  }

  /** The relay at an address. Where several claim it, the one best vouched for, then longest known. */
  at(endpoint: Endpoint): RelayInfo | undefined {
    this.#sweep();
    const claims = [...(this.#byAddress.get(addressKey(endpoint)) ?? [])];
    return claims.map((key) => this.#entries.get(key) as Entry).sort(byTrust)[0]?.info;
  }

  /** Up to `count` different relays, uniformly at random. */
  sample(count: number): RelayInfo[] {
    this.#sweep();
    const keys = this.#keys;
    const moved = new Map<number, number>();
    const picked: RelayInfo[] = [];
    // The first steps of a Fisher-Yates shuffle, with the swaps in a map: the table itself keeps its order.
    for (let i = 0; i < keys.length && picked.length < count; i++) {
      const other = i + this.#deps.random.below(keys.length - i);
      const index = moved.get(other) ?? other;
      moved.set(other, moved.get(i) ?? i);
      picked.push((this.#entries.get(keys[index] as string) as Entry).info);
    }
    return picked;
  }

  /** All entries, best vouched for first, then longest known: the order in which path picking fills a subnet's places. */
  entries(): TableEntry[] {
    this.#sweep();
    return [...this.#entries.values()].sort(byTrust);
  }

  /**
   * The relays to pick paths from, in the order of `entries`: those that are vouched for once they are enough to hide among and nearly all of the
   * table, and everybody before that. While a part is vouched for, it is above all that of whoever answers most of the questions: of a member
   * that has just asked three relays, two of one attacker, nearly all would be the attacker's, and after a day six of ten.
   * While few are vouched for, of what one source alone has named no more counts than of the source after it, or than are vouched for.
   */
  forPaths(): RelayInfo[] {
    const entries = this.entries();
    const vouched = entries.filter(isVouched);
    const areEnough = vouched.length >= ENOUGH_VOUCHED;
    const heard = areEnough ? entries : withoutFlood(entries);
    return (areEnough && vouched.length >= NEARLY_ALL * entries.length ? vouched : heard).map(
      (entry) => entry.info,
    );
  }

  /** Puts back an entry that was saved; refused as in `add`. */
  restore(saved: TableEntry): boolean {
    if (isGuest(saved.info) || !this.#acceptable(saved.info)) return false;
    if (this.#entries.has(saved.info.key)) return false;
    if (this.#entries.size >= LIMITS.tableInfos || !this.#hasRoom(saved.info)) return false;
    this.#insert(saved.info, saved.firstSeenS, [...saved.sources], saved.proven);
    return true;
  }

  #acceptable(info: RelayInfo): boolean {
    return isAcceptable(info, this.#deps.network, this.#deps.clock.nowMs());
  }

  #addNew(info: RelayInfo, source: InfoSource): Added {
    const proven = source === PROVEN;
    if (!proven && (this.#perSource.get(source) ?? 0) >= LIMITS.tablePerSource) return "refused";
    // Whoever proved itself takes the place of hearsay: false claims cannot keep a real relay out of its own subnet.
    if (!this.#hasRoom(info) && !(proven && this.#makeRoom(info))) return "refused";
    if (this.#entries.size >= LIMITS.tableInfos && !this.#evictOne(proven)) return "refused";
    this.#insert(info, Math.floor(this.#deps.clock.nowMs() / 1000), proven ? [] : [source], proven);
    return "new";
  }

  #insert(info: RelayInfo, firstSeenS: number, sources: string[], proven: boolean): void {
    const entry: Entry = { info, firstSeenS, sources, proven, index: this.#keys.length };
    this.#keys.push(info.key);
    this.#entries.set(info.key, entry);
    this.#place(info);
    this.#charge(entry, 1);
  }

  #vouch(entry: Entry, source: InfoSource): void {
    this.#charge(entry, -1);
    if (source === PROVEN) entry.proven = true;
    else if (!entry.sources.includes(source) && entry.sources.length < LIMITS.tableSourcesKept) {
      entry.sources.push(source);
    }
    this.#charge(entry, 1);
  }

  /** Only unvouched entries count against their source. */
  #charge(entry: Entry, by: 1 | -1): void {
    if (!isVouched(entry)) for (const source of entry.sources) bump(this.#perSource, source, by);
  }

  #evictOne(forProven: boolean): boolean {
    for (let tries = 0; tries < EVICTION_TRIES; tries++) {
      const key = this.#keys[this.#deps.random.below(this.#keys.length)] as string;
      const entry = this.#entries.get(key) as Entry;
      if (isVouched(entry) && !(forProven && !entry.proven)) continue;
      this.#remove(entry);
      return true;
    }
    return false;
  }

  /** Drops one unvouched entry from each full subnet and block of `info`; false where there is none. */
  #makeRoom(info: RelayInfo): boolean {
    for (const [place, bound] of this.#bounds(info)) {
      if ((this.#places.get(place) ?? 0) < bound) continue;
      const hearsay = [...this.#entries.values()].find(
        (e) => !isVouched(e) && placesOf(e.info).includes(place),
      );
      if (hearsay === undefined) return false;
      this.#remove(hearsay);
    }
    return true;
  }

  /** Whether every place of `info` has room, not counting `instead`, which it would replace. */
  #hasRoom(info: RelayInfo, instead?: RelayInfo): boolean {
    const freed = instead === undefined ? [] : placesOf(instead);
    return this.#bounds(info).every(
      ([place, bound]) => (this.#places.get(place) ?? 0) - (freed.includes(place) ? 1 : 0) < bound,
    );
  }

  #bounds(info: RelayInfo): [string, number][] {
    if (this.#deps.network.test) return [];
    return [
      ...subnetsOf(info).map((subnet): [string, number] => [subnet, LIMITS.tablePerSubnet]),
      ...blocksOf(info).map((block): [string, number] => [block, LIMITS.tablePerBlock]),
    ];
  }

  #place(info: RelayInfo): void {
    for (const place of placesOf(info)) bump(this.#places, place, 1);
    for (const endpoint of info.endpoints) {
      const address = addressKey(endpoint);
      const claims = this.#byAddress.get(address) ?? new Set();
      this.#byAddress.set(address, claims.add(info.key));
    }
  }

  #unplace(info: RelayInfo): void {
    for (const place of placesOf(info)) bump(this.#places, place, -1);
    for (const endpoint of info.endpoints) {
      const address = addressKey(endpoint);
      const claims = this.#byAddress.get(address);
      claims?.delete(info.key);
      if (claims?.size === 0) this.#byAddress.delete(address);
    }
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.info.key);
    this.#unplace(entry.info);
    this.#charge(entry, -1);
    const last = this.#keys.pop() as string;
    if (last === entry.info.key) return;
    this.#keys[entry.index] = last;
    (this.#entries.get(last) as Entry).index = entry.index;
  }

  #sweep(): void {
    const nowMs = this.#deps.clock.nowMs();
    // Also when the clock was set back: what was signed "today" may now lie in the future.
    if (Math.abs(nowMs - this.#sweptMs) < SWEEP_MS) return;
    this.#sweptMs = nowMs;
    for (const entry of this.#entries.values()) if (!isCurrent(entry.info, nowMs)) this.#remove(entry);
  }
}

/**
 * Of what a single source has named, no more than the source after it, or than are vouched for, where there is more than one: honest sources name about as many, and one that
 * makes relays up would else stand on most paths of a small network.
 */
function withoutFlood(entries: readonly TableEntry[]): readonly TableEntry[] {
  const sources = new Set(entries.flatMap((entry) => entry.sources));
  if (sources.size < 2) return entries;
  const bySource = new Map<string, number>();
  const nameOf = (entry: TableEntry): string => entry.sources[0] ?? "";
  for (const entry of entries) {
    if (!isVouched(entry)) bySource.set(nameOf(entry), (bySource.get(nameOf(entry)) ?? 0) + 1);
  }
  const [, second = 0] = [...bySource.values()].toSorted((a, b) => b - a);
  const most = Math.max(second, HEARSAY_OF_SOURCE, entries.filter(isVouched).length);
  const taken = new Map<string, number>();
  return entries.filter((entry) => {
    if (isVouched(entry)) return true;
    const count = taken.get(nameOf(entry)) ?? 0;
    taken.set(nameOf(entry), count + 1);
    return count < most;
  });
}

/** Named by two independent sources, or reached by this member itself. */
export function isVouched(entry: Pick<TableEntry, "sources" | "proven">): boolean {
  return entry.proven || entry.sources.length >= 2;
}

function sameEndpoints(a: RelayInfo, b: RelayInfo): boolean {
  const text = (info: RelayInfo) => info.endpoints.map(addressKey).sort().join();
  return text(a) === text(b);
}

function placesOf(info: RelayInfo): string[] {
  return [...subnetsOf(info), ...blocksOf(info)];
}

function byTrust(a: Entry, b: Entry): number {
  const rank = (entry: Entry) => (entry.proven ? 2 : isVouched(entry) ? 1 : 0);
  return rank(b) - rank(a) || a.firstSeenS - b.firstSeenS;
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
