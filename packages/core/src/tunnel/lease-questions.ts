import type { Clock } from "../base/clock.ts";
import { codeOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { HopTarget } from "../circuit/stream.ts";
import { askLeases } from "./gate-client.ts";
import type { GateTroubles } from "./gate-troubles.ts";
import { isNotBegun, type GateWay, type GateWays } from "./gate-ways.ts";
import type { LeaseBook } from "./lease-book.ts";

/** A gate is not asked again for the same topic sooner. Not longer either: a seeder that restarts is there again in seconds. */
const ASK_AGAIN_MS = 15_000;
/** Over a circuit that is there it costs a round trip. Of many leases that are over, the first question answers for all. */
const ASK_OVER_AGAIN_MS = 1_000;

export interface LeaseQuestionsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly book: LeaseBook;
  readonly ways: GateWays;
  readonly troubles: GateTroubles;
}

/** What a downloader asks gates: whom they hold for the topic, which goes into the book. */
export class LeaseQuestions {
  readonly #deps: LeaseQuestionsDeps;
  /** When a gate was last asked for a topic. */
  readonly #askedMs = new Map<string, number>();

  constructor(deps: LeaseQuestionsDeps) {
    this.#deps = deps;
  }

  isDue(gate: HopTarget, topic: Buffer): boolean {
    return this.#sinceMs(gate, topic) >= ASK_AGAIN_MS;
  }

  /** The same over a circuit that is there. */
  isDueOver(gate: HopTarget, topic: Buffer): boolean {
    return this.#sinceMs(gate, topic) >= ASK_OVER_AGAIN_MS;
  }

  /** All may be asked again at once. */
  forget(): void {
    this.#askedMs.clear();
  }

  /** How many leases were news to the book; undefined when the gate cannot be reached or does not answer. */
  async ask(gate: HopTarget, topic: Buffer): Promise<number | undefined> {
    let way: GateWay;
    try {
      way = await this.#deps.ways.take(gate, "question");
    } catch (error) {
      return this.#failed(gate, error, !isNotBegun(error));
    }
    return this.#askOver(way, gate, topic);
  }

  /**
   * A seeder that lost its circuit to a gate comes back to it: so whoever was told that it is gone asks over the same circuit whether it is there under
   * another tag by now. Takes over the way.
   */
  async askForNewer(way: GateWay, gate: HopTarget, topic: Buffer): Promise<void> {
    if (this.isDueOver(gate, topic)) await this.#askOver(way, gate, topic);
    else this.#deps.ways.putBack(gate, { ...way, terms: undefined });
  }

  async #askOver(way: GateWay, gate: HopTarget, topic: Buffer): Promise<number | undefined> {
    const { clock, log, book, ways } = this.#deps;
    try {
      this.#note(gate, topic);
      const { leases, terms } = await askLeases(way.circuit, topic, clock);
      log("debug", "a gate was asked for leases", { leaseCount: leases.length });
      const newsCount = leases.filter((sealed) => book.add(sealed, "gate")?.isNews === true).length;
      ways.putBack(gate, { ...way, terms });
      return newsCount;
    } catch (error) {
      way.circuit.destroy();
      return this.#failed(gate, error, true);
    }
  }

  #failed(gate: HopTarget, error: unknown, isToBlame: boolean): undefined {
    if (isToBlame) this.#deps.troubles.note(gate.nodeKey.toString("hex"));
    this.#deps.log("debug", "a gate could not be asked for leases", { code: codeOf(error) });
    return undefined;
  }

  #note(gate: HopTarget, topic: Buffer): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [name, atMs] of this.#askedMs) if (nowMs - atMs >= ASK_AGAIN_MS) this.#askedMs.delete(name);
    this.#askedMs.set(questionName(gate, topic), nowMs);
  }

  #sinceMs(gate: HopTarget, topic: Buffer): number {
    return this.#deps.clock.monotonicMs() - (this.#askedMs.get(questionName(gate, topic)) ?? -Infinity);
  }
}

export function questionName(gate: HopTarget, topic: Buffer): string {
  return gate.nodeKey.toString("hex") + topic.toString("hex");
}
