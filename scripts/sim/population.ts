import { BackroomError } from "../../packages/core/src/base/errors.ts";
import type { RelayInfo } from "../../packages/core/src/directory/relay-info.ts";
import { pickOne, type SeededRandom } from "./seeded-random.ts";

const HOUR_MS = 3_600_000;
/** Relays sign their info anew this often (node/own-info). */
const SIGN_MS = HOUR_MS;
/** A relay's home is mostly a subnet of its own; some providers house many. */
const SHARED_SUBNET = 0.15;
const AT_BIG_PROVIDERS = 0.2;
const BIG_PROVIDERS = 64;
/** Hours a day that a home relay is up, at least and at most; a server is down for a few hours in a fortnight. */
const HOME_HOURS = [6, 16] as const;
const SERVER_CYCLE_MS = 14 * 24 * HOUR_MS;
const SERVER_UP = 0.99;
/** One an hour, for as long as they hold. */
const INFOS_KEPT = 26;

export const NETWORK = { id: 7, test: false } as const;
export const PORT = 9001;

/** Who runs relays: where, how fast, when. A relay's infos are as the decoder gives them, without the cost of a signature each. */
export interface PopulationOptions {
  readonly honest: number;
  /** Relays that are up for a part of the day only; the others are servers. */
  readonly homeShare: number;
  readonly hostile?: { readonly relays: number; readonly perSubnet: number };
}

export interface Relay {
  readonly id: number;
  readonly isHostile: boolean;
  readonly nodeKey: Buffer;
  readonly key: string;
  readonly host: string;
  readonly bandwidthKiB: number;
  readonly cycleMs: number;
  readonly upMs: number;
  readonly phaseMs: number;
  /** Its infos of the last day or so by their time, made when somebody asks. */
  readonly infos: Map<number, RelayInfo>;
  /** Relays of the same habits, up at about the same hours: any of them might be any other. */
  readonly alike: Relay[];
  readonly place: number;
}

export class Population {
  readonly relays: readonly Relay[];
  /** Honest relays by habit: servers, and home relays by the hour at which their day begins. */
  readonly #habits = new Map<number, Relay[]>();
  readonly #byHost: ReadonlyMap<string, Relay>;
  readonly #onionKey = Buffer.alloc(32, 5);

  constructor(options: PopulationOptions, random: SeededRandom) {
    const hosts = new Hosts(random.fork("hosts"));
    const honest = Array.from({ length: options.honest }, (_, id) =>
      this.#honest(id, options, hosts, random),
    );
    const { relays = 0, perSubnet = 1 } = options.hostile ?? {};
    const hostile = Array.from({ length: relays }, (_, index): Relay => {
      const isFirst = index % perSubnet === 0;
      const host = isFirst ? hosts.apart() : hosts.beside();
      const always = { cycleMs: HOUR_MS, upMs: HOUR_MS, phaseMs: random.below(SIGN_MS) };
      // Claims are free: as much as counts, and more.
      const claim = { bandwidthKiB: 1_000_000, host, isHostile: true };
      return { ...identity(honest.length + index), ...always, ...claim, alike: [], place: 0 };
    });
    this.relays = [...honest, ...hostile];
    this.#byHost = new Map(this.relays.map((relay) => [relay.host, relay]));
  }

  get hostile(): readonly Relay[] {
    return this.relays.filter((relay) => relay.isHostile);
  }

  /** The relay that an info or key speaks of. */
  of(info: { readonly nodeKey: Uint8Array }): Relay {
    return this.relays[Buffer.from(info.nodeKey).readUInt32BE(28)] as Relay;
  }

  at(host: string): Relay | undefined {
    return this.#byHost.get(host);
  }

  isUp(relay: Relay, nowMs: number): boolean {
    return (nowMs + relay.phaseMs) % relay.cycleMs < relay.upMs;
  }

  anyUp(nowMs: number, random: SeededRandom): Relay {
    for (;;) {
      const relay = pickOne(this.relays, random);
      if (!relay.isHostile && this.isUp(relay, nowMs)) return relay;
    }
  }

  /** Another relay's info that is as old, or of when that relay was last up: what a table like this one might hold in its place. */
  likeness(info: RelayInfo, shift: number): RelayInfo {
    const relay = this.of(info);
    if (relay.isHostile) return info;
    const other = relay.alike[(relay.place + shift) % relay.alike.length] as Relay;
    const atMs = info.timeS * 1000;
    const intoCycleMs = (atMs + other.phaseMs) % other.cycleMs;
    return this.infoOf(other, atMs - Math.max(0, intoCycleMs - other.upMs + 1));
  }

  /** The relay whose likeness, by that shift, is this one. */
  original(relay: Relay, shift: number): Relay {
    const { alike, place } = relay;
    if (relay.isHostile) return relay;
    return alike[(place + alike.length - (shift % alike.length)) % alike.length] as Relay;
  }

  infoOf(relay: Relay, nowMs: number): RelayInfo {
    const signedMs = Math.floor((nowMs - relay.phaseMs) / SIGN_MS) * SIGN_MS + relay.phaseMs;
    return this.#infoOf(relay, Math.floor(signedMs / 1000));
  }

  /** Stands for `RelayInfoDecoder`: here an info's bytes are no more than a relay's number and a time. */
  decode(bytes: Uint8Array): RelayInfo {
    const handle = Buffer.from(bytes);
    const relay = this.relays[handle.readUInt32BE(0)];
    if (relay === undefined) throw new BackroomError("E_RELAY_INFO", "no relay has that number");
    return this.#infoOf(relay, handle.readUIntBE(4, 6));
  }

  #infoOf(relay: Relay, timeS: number): RelayInfo {
    const known = relay.infos.get(timeS);
    if (known !== undefined) return known;
    if (relay.infos.size >= INFOS_KEPT) relay.infos.delete(relay.infos.keys().next().value as number);
    const info = this.#makeInfo(relay, timeS);
    relay.infos.set(timeS, info);
    return info;
  }

  #makeInfo(relay: Relay, timeS: number): RelayInfo {
    const bytes = Buffer.alloc(10);
    bytes.writeUInt32BE(relay.id, 0);
    bytes.writeUIntBE(timeS, 4, 6);
    return {
      networkId: NETWORK.id,
      nodeKey: relay.nodeKey,
      key: relay.key,
      onionKey: this.#onionKey,
      previousOnionKey: undefined,
      endpoints: [{ host: relay.host, port: PORT }],
      bandwidthKiB: relay.bandwidthKiB,
      gate: relay.id % 2 === 0,
      scout: true,
      timeS,
      bytes,
    };
  }

  #honest(id: number, options: PopulationOptions, hosts: Hosts, random: SeededRandom): Relay {
    const isHome = random.unit() < options.homeShare;
    const hours = HOME_HOURS[0] + random.unit() * (HOME_HOURS[1] - HOME_HOURS[0]);
    const cycleMs = isHome ? 24 * HOUR_MS : SERVER_CYCLE_MS;
    const phaseMs = random.below(cycleMs);
    const habit = isHome ? Math.floor(phaseMs / HOUR_MS) : -1;
    const alike = this.#habits.get(habit) ?? [];
    this.#habits.set(habit, alike);
    const relay = {
      ...identity(id),
      alike,
      place: alike.length,
      isHostile: false,
      host: hosts.honest(),
      bandwidthKiB: Math.round(4096 * Math.exp(random.normal(0, 1))),
      cycleMs,
      upMs: isHome ? hours * HOUR_MS : SERVER_UP * cycleMs,
      phaseMs,
    };
    alike.push(relay);
    return relay;
  }
}

function identity(id: number): Pick<Relay, "id" | "nodeKey" | "key" | "infos"> {
  const nodeKey = Buffer.alloc(32);
  nodeKey.writeUInt32BE(id, 28);
  return { id, nodeKey, key: nodeKey.toString("hex"), infos: new Map() };
}

/** Public addresses, none twice. */
class Hosts {
  readonly #random: SeededRandom;
  readonly #used = new Map<string, number>();
  #last = "";

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  honest(): string {
    if (this.#last !== "" && this.#random.unit() < SHARED_SUBNET) return this.beside();
    const isBig = this.#random.unit() < AT_BIG_PROVIDERS;
    return isBig ? this.#in(this.#block(this.#random.below(BIG_PROVIDERS))) : this.apart();
  }

  /** In a subnet that nobody else has, of a provider drawn from all there are. */
  apart(): string {
    return this.#in(this.#block(BIG_PROVIDERS + this.#random.below(15_000)));
  }

  /** In the subnet of the one before. */
  beside(): string {
    return this.#next(this.#last);
  }

  #block(index: number): string {
    // 20.x to 83.x, which hold no special ranges.
    return `${20 + (index % 64)}.${Math.floor(index / 64)}`;
  }

  #in(block: string): string {
    for (;;) {
      const subnet = `${block}.${this.#random.below(256)}`;
      // Rather another subnet than somebody else's, unless the block is crowded.
      if (!this.#used.has(subnet) || this.#random.unit() < 0.1) return this.#next(subnet);
    }
  }

  #next(subnet: string): string {
    const number = (this.#used.get(subnet) ?? 0) + 1;
    this.#used.set(subnet, number);
    this.#last = subnet;
    return `${subnet}.${number}`;
  }
}
