import {
  decodeBencode,
  encodeBencode,
  type Bencoded,
  type BencodedDict,
} from "../../packages/core/src/base/bencode.ts";
import { BackroomError } from "../../packages/core/src/base/errors.ts";
import { LIMITS } from "../../packages/core/src/base/limits.ts";
import { silentLog } from "../../packages/core/src/base/log.ts";
import { shuffled } from "../../packages/core/src/base/random.ts";
import { decodeAddress } from "../../packages/core/src/directory/address.ts";
import { bootstrap, type DirectoryPeer } from "../../packages/core/src/directory/bootstrap.ts";
import { createClockCheck } from "../../packages/core/src/directory/clock-check.ts";
import {
  createDirectoryService,
  type QuestionService,
} from "../../packages/core/src/directory/directory-service.ts";
import { createGossip, type Gossip } from "../../packages/core/src/directory/gossip.ts";
import {
  atQuestion,
  gatesQuestion,
  infosAnswer,
  publishQuestion,
  type Question,
} from "../../packages/core/src/directory/questions.ts";
import type { RelayInfo } from "../../packages/core/src/directory/relay-info.ts";
import { createScoutService } from "../../packages/core/src/directory/scout-service.ts";
import { RelayTable } from "../../packages/core/src/directory/table.ts";
import type { JoinRelay } from "../../packages/core/src/link/join-relay.ts";
import { NETWORK, Population, PORT, type PopulationOptions, type Relay } from "./population.ts";
import { pickOne, type SeededRandom } from "./seeded-random.ts";
import { VirtualTime } from "./virtual-time.ts";

export interface DirectoryWorldOptions extends PopulationOptions {
  /** Relays that keep a table; at most as many as there are honest ones. */
  readonly observers: number;
  /** When hostile relays appear: in a network that has settled, or has not. */
  readonly hostileFromMs?: number;
}

/** A relay that is looked at: the real table, directory and gossip. */
export interface Observer {
  readonly relay: Relay;
  readonly table: RelayTable;
  readonly directory: QuestionService;
  readonly gossip: Gossip;
  /** What its gossip has cost so far. */
  readonly cost: { questions: number; infosHeard: number; infosVerified: number };
}

/** Relays of the network file, servers all: how a relay that knows nobody begins. */
const SEED_RELAYS = 8;
/** A hostile relay shows itself to every relay as often as its info changes. */
const FLOOD_MS = 5 * 60_000;
const FLOODS_AN_HOUR = 12;
/** Circuits are counted so that the directory's allowance for one of them never matters to who opens a new one. */
const FIRST_CIRCUIT = 1;

/**
 * Relays by the ten thousand, of which some keep tables: the *observers*. What another relay would answer is asked of an observer that
 * stands in for it, and in the answer each relay is exchanged for one of the same habits: another table of the same kind, filled with others.
 * Without the exchange a few tables would soon hold nothing but each other's relays. With as many observers as relays nothing is guessed;
 * `docs/SCALING.md` compares the two.
 */
export class DirectoryWorld {
  readonly time = new VirtualTime();
  readonly population: Population;
  readonly observers: Observer[] = [];
  readonly random: SeededRandom;
  readonly #seeds: readonly Relay[];
  readonly #hostile: readonly Relay[];
  #circuits = FIRST_CIRCUIT;

  constructor(options: DirectoryWorldOptions, random: SeededRandom) {
    this.random = random;
    this.population = new Population(options, random.fork("population"));
    this.#hostile = this.population.hostile;
    const servers = this.population.relays.filter(
      (relay) => !relay.isHostile && relay.upMs > 0.9 * relay.cycleMs,
    );
    this.#seeds = servers.slice(0, SEED_RELAYS);
    for (const relay of this.population.relays.slice(0, options.observers)) this.observe(relay);
    if (this.#hostile.length > 0) this.time.after(options.hostileFromMs ?? 0, () => this.#flood());
  }

  /** Starts another observer, with an empty table. It counts as up whatever its habits. */
  observe(relay: Relay): Observer {
    const cost = { questions: 0, infosHeard: 0, infosVerified: 0 };
    const seen = new Set<string>();
    const table = new RelayTable({ network: NETWORK, clock: this.time, random: this.random });
    const decodeInfo = (bytes: Uint8Array): RelayInfo => {
      cost.infosHeard++;
      const name = Buffer.from(bytes).toString("latin1");
      if (!seen.has(name)) cost.infosVerified++;
      if (seen.size >= LIMITS.relayInfoCacheCount) seen.delete(seen.keys().next().value as string);
      seen.add(name);
      return this.population.decode(bytes);
    };
    const common = { table, network: NETWORK, clock: this.time, random: this.random, decodeInfo };
    const directory = createDirectoryService({ ...common, probe: () => Promise.resolve(true) });
    const gossip = createGossip({
      ...common,
      log: silentLog,
      ownInfo: () => this.population.infoOf(relay, this.time.nowMs()).bytes,
      askRelay: (asked, question) => {
        cost.questions++;
        return this.#ask(this.population.of(asked), question);
      },
      seek: async () => {
        await this.#bootstrap(
          table,
          this.#seeds.map((seed) => this.joinRelayOf(seed)),
          decodeInfo,
        );
      },
    });
    const observer: Observer = { relay, table, directory, gossip, cost };
    this.observers.push(observer);
    gossip.start();
    return observer;
  }

  /** A member that joins through these relays: its table, filled as the program does it. Undefined when none of them can be asked. */
  async join(relays: readonly JoinRelay[]): Promise<RelayTable | undefined> {
    const table = new RelayTable({ network: NETWORK, clock: this.time, random: this.random });
    try {
      await this.#bootstrap(table, relays, (bytes) => this.population.decode(bytes));
      return table;
    } catch (error) {
      if (error instanceof BackroomError) return undefined;
      throw error;
    }
  }

  /** What an invite names: relays out of somebody's table. */
  inviteOf(observer: Observer, count: number): JoinRelay[] {
    return observer.table.sample(count).map((info) => this.joinRelayOf(this.population.of(info)));
  }

  joinRelayOf(relay: Relay): JoinRelay {
    return { nodeKey: relay.nodeKey, host: relay.host, port: PORT };
  }

  isUp(relay: Relay): boolean {
    return this.population.isUp(relay, this.time.nowMs());
  }

  /** The relay at an observer works as a scout for a topic that the DHT says these gates have: which of them it can name. */
  async scout(observer: Observer, gates: readonly Relay[]): Promise<Relay[]> {
    const scout = createScoutService({
      table: observer.table,
      network: NETWORK,
      clock: this.time,
      random: this.random,
      decodeInfo: (bytes) => this.population.decode(bytes),
      lookup: () => Promise.resolve(gates.map(({ host }) => ({ host, port: PORT }))),
      askRelay: (asked, question) => this.#ask(this.population.of(asked), question),
    });
    const answer = wire(await scout.answer(wire(gatesQuestion(Buffer.alloc(20))), this.#circuits++));
    const infos = answer.get("r");
    return Array.isArray(infos)
      ? infos.map((bytes) => this.population.of(this.population.decode(bytes as Buffer)))
      : [];
  }

  async #bootstrap(
    table: RelayTable,
    relays: readonly JoinRelay[],
    decodeInfo: (bytes: Uint8Array) => RelayInfo,
  ): Promise<void> {
    const connect = async (joined: JoinRelay): Promise<DirectoryPeer> => {
      const relay = this.population.of(joined);
      if (!this.isUp(relay)) throw new BackroomError("E_UNREACHABLE", "nobody listens there");
      const info = this.population.infoOf(relay, this.time.nowMs()).bytes;
      return { info, clockSkewMs: 0, ask: (question) => this.#ask(relay, question), close: () => {} };
    };
    const common = { table, network: NETWORK, clock: this.time, random: this.random, decodeInfo };
    const deps = { ...common, connect, clockCheck: createClockCheck(), log: silentLog };
    await bootstrap({ relays, acceptFewSources: true }, deps);
  }

  /** What a relay answers: hostile ones with none but their own, others as the observer does that stands in for them. */
  async #ask(relay: Relay, question: Question): Promise<BencodedDict> {
    if (relay.isHostile) return wire(this.#lie());
    if (!this.isUp(relay)) throw new BackroomError("E_UNREACHABLE", "nobody listens there");
    const standIn = this.observers[relay.id % this.observers.length] as Observer;
    // Knuth's multiplier: a shift that differs from relay to relay, and stays.
    const shift = standIn.relay === relay ? 0 : Math.imul(relay.id, 2_654_435_761) >>> 0;
    const asked = wire(this.#exchangedQuestion(question, shift));
    const answer = await standIn.directory.answer(asked, this.#circuits++);
    return wire(this.#exchangedAnswer(answer, shift));
  }

  #exchangedAnswer(answer: Record<string, Bencoded>, shift: number): Record<string, Bencoded> {
    const infos = answer["r"];
    if (!Array.isArray(infos)) return answer;
    const { population } = this;
    return infosAnswer(infos.map((bytes) => population.likeness(population.decode(bytes as Buffer), shift)));
  }

  #lie(): Record<string, Bencoded> {
    const nowMs = this.time.nowMs();
    const own = shuffled(this.#hostile, this.random).slice(0, LIMITS.sampleInfos);
    return infosAnswer(own.map((relay) => this.population.infoOf(relay, nowMs)));
  }

  #exchangedQuestion(question: Question, shift: number): Question {
    const kind = Buffer.from(question.q).toString("latin1");
    if (kind === "at") {
      const relay = this.population.at(decodeAddress(question["a"] as Buffer).host);
      const original = relay === undefined ? undefined : this.population.original(relay, shift);
      return original === undefined ? question : atQuestion({ host: original.host, port: PORT });
    }
    if (kind !== "publish") return question;
    // In the place of all relays: were it always the observers themselves, they would be in more tables than others.
    const nowMs = this.time.nowMs();
    return publishQuestion(this.population.infoOf(this.population.anyUp(nowMs, this.random), nowMs).bytes);
  }

  #flood(): void {
    const nowMs = this.time.nowMs();
    const each = Math.ceil(this.#hostile.length / FLOODS_AN_HOUR);
    for (const observer of this.observers) {
      for (let sent = 0; sent < each; sent++) {
        const info = this.population.infoOf(pickOne(this.#hostile, this.random), nowMs);
        void observer.directory.answer(wire(publishQuestion(info.bytes)), this.#circuits++);
      }
    }
    this.time.after(FLOOD_MS, () => this.#flood());
  }
}

function wire(message: Bencoded): BencodedDict {
  return decodeBencode(encodeBencode(message)) as BencodedDict;
}
