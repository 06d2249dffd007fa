import type { Clock } from "../base/clock.ts";
import type { ByteDuplex } from "../base/duplex.ts";
import { BackroomError, codeOf, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { shuffled, type Random } from "../base/random.ts";
import type { Circuit, HopTarget } from "../circuit/stream.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";
import type { KnownLease, LeaseBook } from "./lease-book.ts";
import { askLeases, connectTunnel } from "./gate-client.ts";
import { GateWays, type GateWay } from "./gate-ways.ts";
import type { TunnelDeps } from "./tunnel-duplex.ts";
import { isNoWayIn } from "./way-in.ts";

export interface FinderDeps extends TunnelDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Asks two scouts which gates the DHT names, and gives what either says. Rejects when neither answers. */
  askScouts(topicHash: Buffer): Promise<readonly HopTarget[]>;
  /** Whether more than one source, or this member itself, knows of the gate: a scout can name any number that do not exist. */
  isVouched(gate: HopTarget): boolean;
  /** A circuit of its own to this gate, over a second hop that is fresh. Rejects when it cannot be built. */
  openGateCircuit(gate: HopTarget): Promise<Circuit>;
  /** A relay info out of a lease: checked, of this network and of today, or raises. */
  readRelayInfo(info: Buffer): HopTarget;
}

export interface FoundTunnel {
  /** Start it at once. Its circuit goes when it closes. */
  readonly tunnel: ByteDuplex;
  /** Names the seeder for `isWanted`. */
  readonly seeder: string;
  /** The gate that it goes through: node key in hex. */
  readonly gate: string;
  readonly isSharers: boolean;
}

export interface FindOptions {
  /** Tunnels to stop after. */
  readonly want: number;
  /** False for a seeder that we are already connected to, or do not want again, or not through this gate (node key in hex). */
  isWanted(seeder: string, gate: string): boolean;
  /** False to dial only whom the book names: no scout and no gate is asked. */
  readonly mayLookUp: boolean;
}

/** What goes wrong on the way, as the log has it. */
type Trouble =
  | "no more seeders could be looked up"
  | "a gate could not be asked for leases"
  | "a seeder could not be reached through one of its gates";

/** Gates asked at a time, and tunnels dialled at a time: hides the delay of a dead one. */
const AT_ONCE = 3;
/** A gate is not asked again for the same topic sooner. Not longer either: a seeder that restarts is there again in seconds. */
const ASK_AGAIN_MS = 15_000;
/** How long a circuit to a gate waits for the next question: relays end one that carries nothing after ten minutes. */
const SPARE_MS = 6 * 60_000;
/** A lease that led nowhere is left alone for a while, longer each time: its seeder may be gone, and each attempt costs circuits. */
const DIAL_AGAIN_LEAST_MS = 5_000;
const DIAL_AGAIN_MOST_MS = 5 * 60_000;

/** The downloader's way to seeders of one share: scouts, gates, leases, tunnels (DESIGN 6). */
export class Finder {
  readonly book: LeaseBook;
  readonly #deps: FinderDeps;
  readonly #ways: GateWays;
  readonly #hearsay: TokenBucket;
  readonly #strangers: TokenBucket;
  readonly #askedMs = new Map<string, number>();
  /** Leases that led nowhere, by their seal. */
  readonly #failed = new Map<string, { readonly times: number; readonly untilMs: number }>();
  /** Seeders to which a tunnel has come up. */
  readonly #reached = new Set<string>();
  /** How often a gate did not answer, or a tunnel through it did not come up or came to little. By node key in hex, the latest last. */
  readonly #troubles = new Map<string, number>();

  /** `book` may be filled by others too: by peers. */
  constructor(book: LeaseBook, deps: FinderDeps) {
    this.#deps = deps;
    this.book = book;
    this.#ways = new GateWays(deps);
    this.#hearsay = new TokenBucket(deps.clock, LIMITS.hearsayBurst, 1000 / LIMITS.hearsayEveryMs);
    this.#strangers = new TokenBucket(deps.clock, LIMITS.strangersBurst, 1000 / LIMITS.strangersEveryMs);
  }

  /**
   * One round: dials the seeders in the book, looks others up where those are too few, and yields tunnels as they come up, the sharer's
   * first. Ends when enough are there or nobody is left to try. Where none came up and it may look up, it raises E_NO_SEEDERS when no lease
   * is to be had, E_GATE when there are gates but none answers, E_TUNNEL when there are wanted seeders and none can be reached.
   */
  async *find(options: FindOptions): AsyncGenerator<FoundTunnel, void, undefined> {
    const tried = new Set<string>();
    const untried = (): KnownLease[] => {
      const usable = this.book
        .list()
        .filter((known) => this.#mayDial(known) && this.#gatesOf(known, options).length > 0);
      return usable.filter((known) => !tried.has(nameOf(known)));
    };
    const dial = (want: number): AsyncGenerator<FoundTunnel, number, undefined> => {
      const queue = untried();
      for (const known of queue) tried.add(nameOf(known));
      return this.#dialAll(queue, { ...options, want });
    };
    let found = 0;
    let isLeft = true;
    try {
      found += yield* dial(options.want);
      if (found < options.want && options.mayLookUp) {
        await this.#lookUp((isDoubtful) => untried().length >= (isDoubtful ? 1 : options.want - found));
        found += yield* dial(options.want - found);
      }
      isLeft = false;
    } catch (error) {
      isLeft = false;
      // Those that were found are worth more than the reason why there are no others.
      if (found === 0) throw error;
      this.#note("no more seeders could be looked up", error);
    } finally {
      // While somebody is still missing there will be another round soon, with the same questions.
      this.#ways.release(isLeft || found >= options.want ? 0 : SPARE_MS);
    }
    if (!options.mayLookUp) return;
    if (found === 0 && this.book.list().some((known) => this.#gatesOf(known, options).length > 0)) {
      throw new BackroomError("E_TUNNEL", "none of the seeders could be reached");
    }
  }

  /** Lets go of the circuits that were kept for another round. */
  close(): void {
    this.#ways.release(0);
  }

  /** `enough` is asked before each batch, which is doubtful when nothing is known of its gates, or nothing good. */
  async #lookUp(enough: (isDoubtful: boolean) => boolean): Promise<void> {
    const questions = await this.#gatesToAsk();
    let answered = 0;
    let asked = 0;
    while (asked < questions.length && !enough(questions[asked]?.isDoubtful === true)) {
      const batch = questions.slice(asked, (asked += AT_ONCE));
      const results = await Promise.all(batch.map(({ gate, topic }) => this.#askGate(gate, topic)));
      answered += results.filter(Boolean).length;
    }
    const known = this.book.list();
    const names = new Set(known.map(nameOf));
    for (const name of this.#failed.keys()) if (!names.has(name)) this.#failed.delete(name);
    const seeders = new Set(known.map(({ seeder }) => seeder));
    for (const seeder of this.#reached) if (!seeders.has(seeder)) this.#reached.delete(seeder);
    if (known.length > 0) return;
    if (asked > 0 && answered === 0) throw new BackroomError("E_GATE", "no gate of the share answered");
    throw new BackroomError("E_NO_SEEDERS", "no seeder of the share was found");
  }

  /** Under every epoch in force, not those asked just now: those of which nothing bad is known first, otherwise at random. */
  async #gatesToAsk(): Promise<{ gate: HopTarget; topic: Buffer; isDoubtful: boolean }[]> {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [name, atMs] of this.#askedMs) if (nowMs - atMs >= ASK_AGAIN_MS) this.#askedMs.delete(name);
    const epochs = this.book.epochs();
    const answers = await Promise.allSettled(epochs.map((keys) => this.#deps.askScouts(keys.topicHash)));
    const questions = epochs.flatMap(({ topic }, index) => {
      const answer = answers[index];
      if (answer?.status !== "fulfilled") return [];
      const gates = new Map(answer.value.map((gate) => [gate.nodeKey.toString("hex"), gate]));
      return [...gates.values()].map((gate) => ({ gate, topic }));
    });
    const failed = answers.find((answer) => answer.status === "rejected");
    if (questions.length === 0 && failed !== undefined) throw failed.reason;
    const due = questions.filter(({ gate, topic }) => !this.#askedMs.has(questionName(gate, topic)));
    const doubts = ({ gate }: { gate: HopTarget }): number =>
      this.#troublesOf(gate) + (this.#deps.isVouched(gate) ? 0 : 1);
    const inOrder = shuffled(due, this.#deps.random)
      .map((question) => ({ ...question, isDoubtful: doubts(question) > 0 }))
      .toSorted((a, b) => doubts(a) - doubts(b));
    const certain = inOrder.filter(({ isDoubtful }) => !isDoubtful);
    const most = Math.min(LIMITS.finderGates, certain.length + LIMITS.finderDoubtfulGates);
    return inOrder.slice(0, most);
  }

  /** False when the gate cannot be reached or does not answer. */
  async #askGate(gate: HopTarget, topic: Buffer): Promise<boolean> {
    let way: GateWay | undefined;
    try {
      way = await this.#ways.take(gate, "question");
      this.#askedMs.set(questionName(gate, topic), this.#deps.clock.monotonicMs());
      const { leases, terms } = await askLeases(way.circuit, topic, this.#deps.clock);
      this.#deps.log("debug", "a gate was asked for leases", { leaseCount: leases.length });
      for (const sealed of leases) this.book.add(sealed, "gate");
      this.#ways.putBack(gate, { ...way, terms });
      return true;
    } catch (error) {
      way?.circuit.destroy();
      if (way !== undefined || !isNotBegun(error)) this.noteTrouble(gate.nodeKey.toString("hex"));
      this.#note("a gate could not be asked for leases", error);
      return false;
    }
  }

  async *#dialAll(
    queue: readonly KnownLease[],
    options: Pick<FindOptions, "want" | "isWanted">,
  ): AsyncGenerator<FoundTunnel, number, undefined> {
    const dialling = new Set<Promise<{ found: FoundTunnel | undefined; self: unknown }>>();
    let next = 0;
    let found = 0;
    try {
      for (;;) {
        while (dialling.size < Math.min(AT_ONCE, options.want - found) && next < queue.length) {
          const known = queue[next++] as KnownLease;
          const attempt: Promise<{ found: FoundTunnel | undefined; self: unknown }> = this.#dial(
            known,
            options,
          ).then((tunnel) => ({ found: tunnel, self: attempt }));
          dialling.add(attempt);
        }
        if (dialling.size === 0) break;
        const done = await Promise.race(dialling);
        for (const attempt of dialling) if (attempt === done.self) dialling.delete(attempt);
        if (done.found === undefined) continue;
        found++;
        yield done.found;
      }
    } finally {
      // Whoever stops reading does not want those that are still coming up.
      for (const attempt of dialling) void attempt.then(({ found }) => found?.tunnel.close());
    }
    return found;
  }

  /** Tries the lease's gates one after the other. Never rejects. */
  async #dial(known: KnownLease, options: Pick<FindOptions, "isWanted">): Promise<FoundTunnel | undefined> {
    // Anybody with the link can make such leases up without end, and each costs circuits that others need.
    const bounds = this.#boundsOn(known);
    if (!bounds.every((bound) => bound.ready)) return undefined;
    for (const bound of bounds) bound.take();
    let isToBlame = false;
    let isWayIn = true;
    for (const { gate, tag } of this.#gatesOf(known, options)) {
      const tunnel = await this.#dialAt(gate, tag, known);
      isWayIn &&= tunnel !== "no way in";
      if (tunnel === "no way in" || tunnel === "too many") continue;
      isToBlame = true;
      if (tunnel === "failed") continue;
      this.#failed.delete(nameOf(known));
      this.#reached.add(known.seeder);
      this.book.markAlive(known.seeder);
      this.#deps.log("debug", "a tunnel to a seeder is up", { isSharers: known.isSharers });
      const { seeder, isSharers } = known;
      return { tunnel, seeder, isSharers, gate: gate.nodeKey.toString("hex") };
    }
    // Who was not asked did not fail: there is nothing to learn from it, and the next round may do better.
    if (!isToBlame) {
      if (!isWayIn) for (const bound of bounds) bound.giveBack();
      return undefined;
    }
    this.book.markDead(known.seeder);
    // The seeder may have gone to other gates, or left a newer lease at these: they are worth asking again. As rarely as it is dialled.
    this.#askedMs.clear();
    const times = this.#failed.get(nameOf(known))?.times ?? 0;
    const waitMs = Math.min(DIAL_AGAIN_LEAST_MS * 2 ** times, DIAL_AGAIN_MOST_MS);
    const untilMs = this.#deps.clock.monotonicMs() + waitMs;
    this.#failed.set(nameOf(known), { times: times + 1, untilMs });
    return undefined;
  }

  #boundsOn({ isHearsay, isSharers, seeder }: KnownLease): TokenBucket[] {
    const isStranger = !isSharers && !this.#reached.has(seeder);
    return [...(isHearsay ? [this.#hearsay] : []), ...(isStranger ? [this.#strangers] : [])];
  }

  /** No circuit to the gate was begun where there is no way in, most likely since this computer is offline, or too many were built. */
  async #dialAt(
    gate: HopTarget,
    tag: Buffer,
    known: KnownLease,
  ): Promise<ByteDuplex | "failed" | "no way in" | "too many"> {
    let way: GateWay | undefined;
    try {
      way = await this.#ways.take(gate, "tunnel");
      const entrance = { gateKey: gate.nodeKey, tag, terms: way.terms };
      return await connectTunnel(way.circuit, entrance, known.lease, known.keys.tunnelPsk, this.#deps);
    } catch (error) {
      this.#note("a seeder could not be reached through one of its gates", error);
      if (way === undefined && isNotBegun(error)) return isNoWayIn(error) ? "no way in" : "too many";
      this.noteTrouble(gate.nodeKey.toString("hex"));
      // Where only the seeder is gone, the gate can be asked over the same circuit where it went.
      const isSeederGone = isBackroomError(error, "E_TUNNEL") && isBackroomError(error.cause, "E_REFUSED");
      if (way !== undefined && isSeederGone) this.#ways.putBack(gate, { ...way, terms: undefined });
      else way?.circuit.destroy();
      return "failed";
    }
  }

  /** A tunnel through this gate (node key in hex) came to little: others are tried before it. */
  noteTrouble(gate: string): void {
    const times = this.#troubles.get(gate) ?? 0;
    this.#troubles.delete(gate);
    this.#troubles.set(gate, times + 1);
    const [oldest] = this.#troubles.keys();
    if (this.#troubles.size > LIMITS.finderTroubles && oldest !== undefined) this.#troubles.delete(oldest);
  }

  /** Through which the seeder is wanted now: those with the least trouble first, otherwise at random. Infos that may not be used are left out. */
  #gatesOf(
    known: KnownLease,
    { isWanted }: Pick<FindOptions, "isWanted">,
  ): { readonly gate: HopTarget; readonly tag: Buffer }[] {
    return shuffled(known.lease.gates, this.#deps.random)
      .flatMap(({ info, tag }) => {
        const gate = this.#readGate(info);
        return gate === undefined ? [] : [{ gate, tag }];
      })
      .filter(({ gate }) => isWanted(known.seeder, gate.nodeKey.toString("hex")))
      .toSorted((a, b) => this.#troublesOf(a.gate) - this.#troublesOf(b.gate));
  }

  #troublesOf(gate: HopTarget): number {
    return this.#troubles.get(gate.nodeKey.toString("hex")) ?? 0;
  }

  #readGate(info: Buffer): HopTarget | undefined {
    try {
      return this.#deps.readRelayInfo(info);
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      return undefined;
    }
  }

  #mayDial(known: KnownLease): boolean {
    const untilMs = this.#failed.get(nameOf(known))?.untilMs ?? -Infinity;
    return untilMs <= this.#deps.clock.monotonicMs();
  }

  #note(event: Trouble, error: unknown): void {
    this.#deps.log("debug", event, { code: codeOf(error) });
  }
}

/** What `GateWays.take` raises where it built nothing. */
function isNotBegun(error: unknown): boolean {
  return isNoWayIn(error) || isBackroomError(error, "E_GATE");
}

/** Of this very lease: a new one of the same seeder is tried at once. */
function nameOf(known: KnownLease): string {
  return known.sealed.toString("hex", 0, 28);
}

function questionName(gate: HopTarget, topic: Buffer): string {
  return gate.nodeKey.toString("hex") + topic.toString("hex");
}
