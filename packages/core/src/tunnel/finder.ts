import type { Clock } from "../base/clock.ts";
import { BackroomError, codeOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { shuffled, type Random } from "../base/random.ts";
import { within } from "../base/within.ts";
import type { Circuit, HopTarget } from "../circuit/stream.ts";
import { GateTroubles } from "./gate-troubles.ts";
import { GateWays } from "./gate-ways.ts";
import type { KnownLease, LeaseBook } from "./lease-book.ts";
import { LeaseQuestions, questionName } from "./lease-questions.ts";
import type { FoundTunnel } from "./dial.ts";
import { leaseName, SeederDials, type DialOptions } from "./seeder-dials.ts";
import type { TunnelDeps } from "./tunnel-duplex.ts";

export interface FinderDeps extends TunnelDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Asks two scouts which gates the DHT names, and gives what either says. Rejects when neither answers. */
  askScouts(topicHash: Buffer): Promise<readonly HopTarget[]>;
  /** Whether more than one source, or this member itself, knows of the gate: a scout can name any number that do not exist. */
  isVouched(gate: HopTarget): boolean;
  /** Whether it did not answer this member just now, in whatever part: it is tried last. */
  isAway(gate: HopTarget): boolean;
  /** A tunnel is up, or a seeder known, that no round has yielded: another one is worth while. */
  onNews(): void;
  /** A circuit of its own to this gate, over a second hop that is fresh. Rejects when it cannot be built. */
  openGateCircuit(gate: HopTarget): Promise<Circuit>;
  /** A relay info out of a lease: checked, of this network and of today, or raises. */
  readRelayInfo(info: Buffer): HopTarget;
}

export interface FindOptions extends DialOptions {
  /** False to dial only whom the book names: no scout and no gate is asked. */
  readonly mayLookUp: boolean;
}

/** Gates asked at a time: hides the delay of a dead one. */
const AT_ONCE = 3;
/** Then others are asked beside those that have not answered, or those who were named are dialled: a gate that is off is known to be so after ten seconds. */
const ANSWER_PATIENCE_MS = 3_000;
/** While scouts are waited for, the gates of which this side has circuits are asked so often. */
const RE_ASK_MS = 1_000;
/** How long a circuit to a gate waits for the next question: relays end one that carries nothing after ten minutes. */
const SPARE_MS = 6 * 60_000;

interface Question {
  readonly gate: HopTarget;
  readonly topic: Buffer;
}

/** `isDoubtful`: nothing is known of the gate, or nothing good. */
interface DoubtfulQuestion extends Question {
  readonly isDoubtful: boolean;
}

/** The downloader's way to seeders of one share: scouts, gates, leases, tunnels (DESIGN 6). */
export class Finder {
  readonly book: LeaseBook;
  readonly #deps: FinderDeps;
  readonly #ways: GateWays;
  readonly #troubles = new GateTroubles();
  readonly #questions: LeaseQuestions;
  readonly #dials: SeederDials;

  /** `book` may be filled by others too: by peers. */
  constructor(book: LeaseBook, deps: FinderDeps) {
    this.#deps = deps;
    this.book = book;
    this.#ways = new GateWays(deps);
    const shared = { ...deps, book, ways: this.#ways, troubles: this.#troubles };
    this.#questions = new LeaseQuestions(shared);
    this.#dials = new SeederDials({ ...shared, questions: this.#questions });
  }

  /**
   * One round: dials the seeders in the book, looks others up where those are too few, and yields tunnels as they come up, the sharer's
   * first. Ends when enough are there or nobody is left to try. Where none came up and it may look up, it raises E_NO_SEEDERS when no lease
   * is to be had, E_GATE when there are gates but none answers, E_TUNNEL when there are wanted seeders and none can be reached.
   */
  async *find(options: FindOptions): AsyncGenerator<FoundTunnel, void, undefined> {
    const tried = new Set<string>();
    const untried = (): KnownLease[] =>
      this.book
        .list()
        .filter((known) => this.#dials.isUsable(known, options))
        .filter((known) => !tried.has(leaseName(known)));
    const next = (): KnownLease | undefined => {
      const [known] = untried();
      if (known !== undefined) tried.add(leaseName(known));
      return known;
    };
    const dial = (want: number): AsyncGenerator<FoundTunnel, number, undefined> =>
      this.#dials.dialAll(next, { ...options, want });
    let found = 0;
    let isLeft = true;
    try {
      found += yield* dial(options.want);
      if (found < options.want && options.mayLookUp) {
        const enough = (isDoubtful: boolean): boolean =>
          untried().length >= (isDoubtful ? 1 : options.want - found);
        await this.#lookUp(enough, () => untried().some((known) => this.#dials.isMet(known)));
        found += yield* dial(options.want - found);
      }
      isLeft = false;
    } catch (error) {
      isLeft = false;
      // Those that were found are worth more than the reason why there are no others.
      if (found === 0) throw error;
      this.#deps.log("debug", "no more seeders could be looked up", { code: codeOf(error) });
    } finally {
      // While somebody is still missing there will be another round soon, with the same questions.
      this.#ways.release(isLeft || found >= options.want ? 0 : SPARE_MS);
    }
    if (!options.mayLookUp) return;
    if (found === 0 && this.book.list().some((known) => this.#dials.leadsSomewhere(known, options))) {
      throw new BackroomError("E_TUNNEL", "none of the seeders could be reached");
    }
  }

  /** A tunnel through this gate (node key in hex) came to little: others are tried before it. */
  noteTrouble(gate: string): void {
    this.#troubles.note(gate);
  }

  /** Lets go of the circuits that were kept for another round. */
  close(): void {
    this.#dials.drop();
    this.#ways.close();
  }

  /**
   * `enough` is asked before each batch, which is doubtful when nothing is known of its gates, or nothing good; `isBack` whether somebody is to be dialled who can
   * be trusted to be there: a gate can name inventions without end, and nobody else would ever be asked.
   */
  async #lookUp(enough: (isDoubtful: boolean) => boolean, isBack: () => boolean): Promise<void> {
    const questions = await this.#gatesUnless(isBack);
    if (questions === undefined) return;
    let answered = 0;
    let asked = 0;
    while (asked < questions.length && !enough(questions[asked]?.isDoubtful === true)) {
      answered += await this.#askAll(questions.slice(asked, (asked += AT_ONCE)));
    }
    this.#dials.tidy();
    if (this.book.list().length > 0) return;
    if (asked > 0 && answered === 0) throw new BackroomError("E_GATE", "no gate of the share answered");
    throw new BackroomError("E_NO_SEEDERS", "no seeder of the share was found");
  }

  /** Asks scouts. Where seeders were just now they are again first of all, and to ask there costs no circuit: undefined where that was enough. */
  async #gatesUnless(isBack: () => boolean): Promise<DoubtfulQuestion[] | undefined> {
    const scouted = this.#gatesToAsk();
    // Nobody may wait for it any more when it fails.
    scouted.catch(() => {});
    for (;;) {
      const known = this.#gatesOfBook();
      const isAsked = known.length > 0 && (await this.#askAll(known)) > 0;
      if (isAsked && isBack()) return undefined;
      const questions = await within(this.#deps.clock, RE_ASK_MS, scouted);
      if (questions !== undefined) return questions;
    }
  }

  /** How many have answered; who is slow is not waited for, and what it says is in the book for the next round, which news are worth. */
  async #askAll(questions: readonly Question[]): Promise<number> {
    let answered = 0;
    let isLate = false;
    const asking = questions.map(async ({ gate, topic }) => {
      const newsCount = await this.#questions.ask(gate, topic);
      if (newsCount !== undefined) answered++;
      if (isLate && newsCount !== undefined && newsCount > 0) this.#deps.onNews();
    });
    const all = await within(this.#deps.clock, ANSWER_PATIENCE_MS, Promise.all(asking));
    isLate = true;
    if (all === undefined) this.#deps.log("debug", "a gate is waited for, and what others said is used");
    return answered;
  }

  #gatesOfBook(): Question[] {
    const named = this.book.list().flatMap(({ lease, keys: { topic } }) =>
      lease.gates.flatMap(({ info }) => {
        const gate = this.#dials.readGate(info);
        return gate === undefined ? [] : [{ gate, topic }];
      }),
    );
    const isDue = ({ gate, topic }: Question): boolean =>
      this.#ways.hasSpare(gate) && this.#questions.isDueOver(gate, topic);
    const byName = new Map(
      named.filter(isDue).map((question) => [questionName(question.gate, question.topic), question]),
    );
    return [...byName.values()].slice(0, AT_ONCE);
  }

  /** Under every epoch in force, not those asked just now: those of which nothing bad is known first, otherwise at random. */
  async #gatesToAsk(): Promise<DoubtfulQuestion[]> {
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
    const due = questions.filter(({ gate, topic }) => this.#questions.isDue(gate, topic));
    const doubts = ({ gate }: { gate: HopTarget }): number =>
      this.#troubles.of(gate) + (this.#deps.isVouched(gate) ? 0 : 1) + (this.#deps.isAway(gate) ? 1 : 0);
    const inOrder = shuffled(due, this.#deps.random)
      .map((question) => ({ ...question, isDoubtful: doubts(question) > 0 }))
      .toSorted((a, b) => doubts(a) - doubts(b));
    const certain = inOrder.filter(({ isDoubtful }) => !isDoubtful);
    const most = Math.min(LIMITS.finderGates, certain.length + LIMITS.finderDoubtfulGates);
    return inOrder.slice(0, most);
  }
}
