import type { Clock } from "../base/clock.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Circuit, HopTarget } from "../circuit/stream.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";
import type { ConnectTerms } from "./connect-work.ts";
import { isNoWayIn } from "./way-in.ts";

/** A circuit to a gate, and what the gate said over it that a tunnel takes. */
export interface GateWay {
  readonly circuit: Circuit;
  readonly terms: ConnectTerms | undefined;
  readonly builtMs: number;
}

/** Asking a gate what it holds, or having it join a tunnel. */
export type GateErrand = "question" | "tunnel";

export interface GateWaysDeps {
  readonly clock: Clock;
  /** A circuit of its own to this gate, over a second hop that is fresh. Rejects when it cannot be built: see `isNoWayIn`. */
  openGateCircuit(gate: HopTarget): Promise<Circuit>;
}

interface Spare extends GateWay {
  readonly putBackMs: number;
}

/** One that is older is not kept: it takes new streams for no more than an hour (LIMITS.circuitFreshMs). */
const OLD_MS = 45 * 60_000;
/** How long what a gate said of its terms is gone by: its nonce holds for a minute at least. */
const TERMS_MS = 30_000;

/**
 * A downloader's circuits to gates, which were somebody else's choice (DESIGN 6). Each goes over another second hop, so a gate that makes this member
 * build many sooner or later sees one next to the guard: a gate may cause few, whatever they are for, and one over which a gate was asked
 * is kept for the next question. Questions and tunnels have a budget each, so that asking for a seeder that is away does not use up what it takes
 * to reach it once it is back.
 */
export class GateWays {
  readonly #deps: GateWaysDeps;
  readonly #budgets: Readonly<Record<GateErrand, TokenBucket>>;
  /** By node key in hex, like `#spare`. */
  readonly #byGate = new Map<string, TokenBucket>();
  readonly #spare = new Map<string, Spare>();
  #closed = false;

  constructor(deps: GateWaysDeps) {
    this.#deps = deps;
    this.#budgets = {
      question: new TokenBucket(deps.clock, LIMITS.rebuildBurst, 1000 / LIMITS.questionCircuitEveryMs),
      tunnel: new TokenBucket(deps.clock, LIMITS.rebuildBurst, 1000 / LIMITS.rebuildEveryMs),
    };
  }

  /** A circuit to the gate, one that was put back or a new one. Raises E_GATE when there were too many or after `close`, and why it cannot be built. */
  async take(gate: HopTarget, errand: GateErrand): Promise<GateWay> {
    if (this.#closed) throw closed();
    const name = nameOf(gate);
    const spare = this.#spare.get(name);
    this.#spare.delete(name);
    if (spare?.circuit.alive === true) {
      const isCurrent = this.#deps.clock.monotonicMs() - spare.putBackMs < TERMS_MS;
      return { ...spare, terms: isCurrent ? spare.terms : undefined };
    }
    const budgets = [this.#budgetOf(name), this.#budgets[errand]];
    if (!budgets.every((budget) => budget.ready)) {
      throw new BackroomError("E_GATE", "too many circuits were built for this share");
    }
    for (const budget of budgets) budget.take();
    try {
      const circuit = await this.#deps.openGateCircuit(gate);
      if (this.#closed) {
        circuit.destroy();
        throw closed();
      }
      return { circuit, terms: undefined, builtMs: this.#deps.clock.monotonicMs() };
    } catch (error) {
      if (isNoWayIn(error)) for (const budget of budgets) budget.giveBack();
      throw error;
    }
  }

  hasSpare(gate: HopTarget): boolean {
    return this.#spare.get(nameOf(gate))?.circuit.alive === true;
  }

  /** For the next errand at that gate. */
  putBack(gate: HopTarget, way: GateWay): void {
    const name = nameOf(gate);
    if (this.#closed || this.#spare.has(name) || this.#spare.size >= LIMITS.finderGates)
      way.circuit.destroy();
    else this.#spare.set(name, { ...way, putBackMs: this.#deps.clock.monotonicMs() });
  }

  /** Lets go of those that nobody has used for long; with 0 of all. */
  release(unusedMs: number): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [name, { circuit, putBackMs, builtMs }] of this.#spare) {
      if (circuit.alive && nowMs - putBackMs < unusedMs && nowMs - builtMs < OLD_MS) continue;
      circuit.destroy();
      this.#spare.delete(name);
    }
  }

  /** Lets go of all, also of those that are put back or come up later. A round may be under way: it gets no more of them. */
  close(): void {
    this.#closed = true;
    this.release(0);
  }

  #budgetOf(name: string): TokenBucket {
    const known = this.#byGate.get(name);
    if (known !== undefined) return known;
    // A full one is as good as a new one.
    for (const [other, bucket] of this.#byGate) if (bucket.full) this.#byGate.delete(other);
    const perSecond = 1000 / LIMITS.gateRebuildEveryMs;
    const bucket = new TokenBucket(this.#deps.clock, LIMITS.gateRebuildBurst, perSecond);
    this.#byGate.set(name, bucket);
    return bucket;
  }
}

/** What `GateWays.take` raises where it built nothing. */
export function isNotBegun(error: unknown): boolean {
  return isNoWayIn(error) || isBackroomError(error, "E_GATE");
}

function closed(): BackroomError {
  return new BackroomError("E_GATE", "nobody looks for seeders any more");
}

function nameOf(gate: HopTarget): string {
  return gate.nodeKey.toString("hex");
}
