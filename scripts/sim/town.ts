import { createRelayInfoDecoder, type RelayInfo } from "../../packages/core/src/directory/relay-info.ts";
import { seededRandom, type SeededRandom } from "./seeded-random.ts";
import { TownDht } from "./town-dht.ts";
import { makeShare, TownMember, type Outcome, type PathCounts, type Share } from "./town-member.ts";
import type { HostileOptions } from "./hostile-relays.ts";
import { HostileRelays } from "./hostile-relays.ts";
import { TOWN_PORT, TownRelay, type Ground } from "./town-relay.ts";
import { Traffic } from "./traffic.ts";
import { VirtualTime } from "./virtual-time.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface TownOptions {
  readonly members: number;
  readonly seed: string;
  /** Relays that somebody adds to the honest ones, to be asked by whoever looks something up. */
  readonly hostile?: HostileOptions;
}

/** Of five members one relays, of twenty one shares something; the others join, and one in three of them for a download. */
const RELAY_SHARE = 0.2;
const DOWNLOAD_SHARE = 1 / 3;
const SEEDER_SHARE = 0.05;
const GATE_SHARE = 0.5;
const SEED_RELAYS = 8;
const INVITED = 3;
const SHARE_BYTES = 96 * 1024;
/** Relays come one after another at first, then stay for hours, are away for a while, and come back. */
const ARRIVAL_MS = 3 * MINUTE_MS;
const MEAN_UP_MS = 10 * HOUR_MS;
const MEAN_AWAY_MS = 2 * HOUR_MS;
const FIRST_SEEDER_MS = 5 * MINUTE_MS;
const FIRST_DOWNLOAD_MS = 10 * MINUTE_MS;
const DURATION_MS = 30 * MINUTE_MS;
/** The last downloads have time to end. */
const LAST_DOWNLOAD_MS = 5 * MINUTE_MS;
/** Info decoders are one for all: every info of a day. */
const INFOS_REMEMBERED = 200_000;

/** A whole network: every member runs the protocol that it runs on a computer, over memory wires and a clock that jumps. */
export class Town {
  readonly ground: Ground;
  readonly random: SeededRandom;
  readonly relays: TownRelay[] = [];
  readonly shares: Share[] = [];
  /** Of members that came for a download, and of those that only joined. */
  readonly downloads: Outcome[] = [];
  readonly visits: Outcome[] = [];
  readonly paths: PathCounts = { built: 0, failed: 0, wanted: 0, givenUp: 0 };
  readonly hostile: HostileRelays;
  readonly #members: number;

  constructor(options: TownOptions) {
    const random = seededRandom(`${options.seed}/town/${options.members}`);
    this.random = random;
    this.#members = options.members;
    const time = new VirtualTime();
    const relayCount = Math.max(SEED_RELAYS, Math.round(options.members * RELAY_SHARE));
    this.ground = {
      time,
      traffic: new Traffic(time, random.fork("wires")),
      dht: new TownDht(time, random.fork("dht")),
      network: { name: "town", id: 7, test: false, bootstrap: [], relays: [] },
      decodeInfo: createRelayInfoDecoder(INFOS_REMEMBERED),
    };
    const used = new Set<string>();
    for (let index = 0; index < relayCount; index++) {
      const own = random.fork(`relay ${index}`);
      const options = { host: freshHost(used, own), isGate: own.unit() < GATE_SHARE };
      this.relays.push(new TownRelay(this.ground, options, own));
    }
    this.hostile = new HostileRelays(this.ground, options.hostile, (index) => {
      const own = random.fork(`hostile ${index}`);
      return new TownRelay(this.ground, { host: freshHost(used, own), isGate: true }, own);
    });
    for (const relay of this.relays) relay.alter = (handlers) => this.hostile.watch(handlers);
    const seeds = this.relays.slice(0, SEED_RELAYS).map((relay) => relay.joinRelay);
    Object.assign(this.ground.network, { relays: seeds });
  }

  /** Runs it to its end. Raises what any part of it throws. */
  async run(): Promise<void> {
    const { time } = this.ground;
    for (const [index, relay] of this.relays.entries()) {
      const isSeed = index < SEED_RELAYS;
      time.after(isSeed ? 0 : this.random.unit() * ARRIVAL_MS, () => this.#up(relay, isSeed));
    }
    this.hostile.start();
    const seeders = Math.max(2, Math.round(this.#members * SEEDER_SHARE));
    for (let index = 0; index < seeders; index++) {
      const own = this.random.fork(`seeder ${index}`);
      const share = makeShare(SHARE_BYTES, own);
      this.shares.push(share);
      time.after(FIRST_SEEDER_MS, () => this.hostile.attack(share));
      time.after(FIRST_SEEDER_MS + own.unit() * (FIRST_DOWNLOAD_MS - FIRST_SEEDER_MS) * 0.8, () => {
        // A seeder that cannot join shows as downloads that find nobody.
        void new TownMember(this.ground, this.#invite(own), this.paths, own).seed(share).catch(() => {});
      });
    }
    const others = this.#members - this.relays.length - seeders;
    const span = DURATION_MS - FIRST_DOWNLOAD_MS - LAST_DOWNLOAD_MS;
    for (let index = 0; index < others; index++) {
      const own = this.random.fork(`member ${index}`);
      const share = this.shares[own.below(this.shares.length)] as Share;
      const wants = own.unit() < DOWNLOAD_SHARE;
      time.after(FIRST_DOWNLOAD_MS + own.unit() * span, () => {
        const member = new TownMember(this.ground, this.#invite(own), this.paths, own);
        const outcomes = wants ? this.downloads : this.visits;
        void (wants ? member.download(share) : member.visit()).then((outcome) => outcomes.push(outcome));
      });
    }
    await time.runUntil(FIRST_DOWNLOAD_MS);
    this.ground.traffic.reset();
    await time.runUntil(DURATION_MS);
  }

  /** Hours for which traffic was counted: those in which downloads begin. */
  get countedHours(): number {
    return (DURATION_MS - FIRST_DOWNLOAD_MS) / HOUR_MS;
  }

  upRelays(): TownRelay[] {
    return this.relays.filter((relay) => relay.isUp);
  }

  /** An invite of some member's: relays out of a relay's table, which may be gone by now. */
  #invite(random: SeededRandom): { nodeKey: Buffer; host: string; port: number }[] {
    const up = this.upRelays();
    const named = (up[random.below(up.length)] as TownRelay).table.sample(INVITED);
    return named.map(({ nodeKey, endpoints: [endpoint] }: RelayInfo) => ({
      nodeKey,
      host: endpoint?.host ?? "",
      port: endpoint?.port ?? TOWN_PORT,
    }));
  }

  #up(relay: TownRelay, isSeed: boolean): void {
    const { time } = this.ground;
    relay.start();
    if (isSeed) return;
    time.after(this.random.exponential(MEAN_UP_MS), () => {
      relay.stop();
      time.after(this.random.exponential(MEAN_AWAY_MS), () => this.#up(relay, false));
    });
  }
}

/** A public address in a subnet of its own. */
function freshHost(used: Set<string>, random: SeededRandom): string {
  for (;;) {
    const subnet = `${20 + random.below(60)}.${random.below(256)}.${random.below(256)}`;
    if (used.has(subnet)) continue;
    used.add(subnet);
    return `${subnet}.1`;
  }
}
