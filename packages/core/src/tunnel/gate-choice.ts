import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { HopTarget } from "../circuit/stream.ts";

/** A gate that we stay with for about a day, whatever becomes of the circuits to it, and until when: wall clock, since it outlives the run. */
export interface ChosenGate {
  readonly gate: HopTarget;
  readonly untilMs: number;
}

/** What outlives the run. */
export interface GateMemory {
  readonly saved: readonly ChosenGate[];
  /** Called whenever they change. */
  save(gates: readonly ChosenGate[]): void;
}

export interface GateChoiceDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Absent: a run of its own, after which nothing is remembered. */
  readonly gates?: GateMemory | undefined;
}

/** Gates that a seeder is registered at when all is well. */
export const GATES = 2;
/** A gate is kept about a day: few gates ever see the seeder's second hops, and a lease's gates do not jump about. */
const GATE_LEAST_MS = 20 * 3_600_000;
const GATE_SPREAD_MS = 8 * 3_600_000;
/** A gate that refused or broke is not chosen again for this long. */
const AVOID_MS = 30 * 60_000;
/** One that took a lease and hid it is not, for as long as a gate is kept. */
const HIDDEN_MS = 24 * 3_600_000;

/** Which gates a seeder goes to: those whose circuit broke again, others after about a day, none for a while that refused. */
export class GateChoice {
  readonly #deps: GateChoiceDeps;
  /** By node key in hex, until when; monotonic. */
  readonly #avoid = new Map<string, number>();
  /** The same of those that hid a lease. */
  readonly #hidden = new Map<string, number>();
  /** Gates whose circuit broke: the next one goes there again, so that a guard that flaps does not show us to ever more gates. */
  #broken: ChosenGate[] = [];
  /** The gates that were saved last: node keys in hex, in their own order. */
  #savedNames = "";

  constructor(deps: GateChoiceDeps) {
    this.#deps = deps;
    const lastMs = deps.clock.nowMs() + GATE_LEAST_MS + GATE_SPREAD_MS;
    // One that would be kept for longer than any was noted while the clock was wrong.
    const saved = (deps.gates?.saved ?? []).map(({ gate, untilMs }) => ({
      gate,
      untilMs: Math.min(untilMs, lastMs),
    }));
    this.#broken = saved.slice(0, GATES);
  }

  /** Until when a gate that is chosen now is kept; wall clock. */
  newUntilMs(): number {
    const { clock, random } = this.#deps;
    return clock.nowMs() + GATE_LEAST_MS + random.below(GATE_SPREAD_MS);
  }

  /** Whose circuit broke, and whose time is not over: the next circuit goes there. */
  takeBroken(): ChosenGate | undefined {
    const nowMs = this.#deps.clock.nowMs();
    const chosen = this.#broken.shift();
    return chosen !== undefined && chosen.untilMs > nowMs ? chosen : undefined;
  }

  noteBroken(chosen: ChosenGate): void {
    this.#broken.push(chosen);
    this.#broken = this.#broken.slice(-GATES);
  }

  /** It was not even tried. */
  giveBack(chosen: ChosenGate): void {
    this.#broken.unshift(chosen);
  }

  /** `gate` is a node key in hex. */
  avoid(gate: string): void {
    this.#avoid.set(gate, this.#deps.clock.monotonicMs() + AVOID_MS);
  }

  /** It hid a lease: `gate` is a node key in hex. */
  noteHidden(gate: string): void {
    this.#hidden.set(gate, this.#deps.clock.monotonicMs() + HIDDEN_MS);
  }

  /** `gate` is a node key in hex. */
  hides(gate: string): boolean {
    return (this.#hidden.get(gate) ?? -Infinity) > this.#deps.clock.monotonicMs();
  }

  /** A circuit failed that avoided some: those that refused or broke may be all that there are. Those that hide leases come back last, and only where `isNoneLeft`. */
  forgive(isNoneLeft: boolean): void {
    if (isNoneLeft && this.#avoid.size === 0) this.#hidden.clear();
    this.#avoid.clear();
  }

  avoided(): Set<string> {
    const nowMs = this.#deps.clock.monotonicMs();
    const gates = [this.#avoid, this.#hidden];
    for (const ofThem of gates)
      for (const [name, untilMs] of ofThem) if (untilMs <= nowMs) ofThem.delete(name);
    return new Set(gates.flatMap((ofThem) => [...ofThem.keys()]));
  }

  /** Those that are in use are saved, with those whose circuit broke, where they are others than before. */
  remember(inUse: readonly ChosenGate[]): void {
    const gates = [...inUse, ...this.#broken];
    const names = gates
      .map(({ gate }) => gate.nodeKey.toString("hex"))
      .toSorted()
      .join();
    if (names === this.#savedNames) return;
    this.#savedNames = names;
    this.#deps.gates?.save(gates);
  }
}
