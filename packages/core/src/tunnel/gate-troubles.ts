import { LIMITS } from "../base/limits.ts";
import type { HopTarget } from "../circuit/stream.ts";

/** How often a gate did not answer, or a tunnel through it did not come up or came to little: those with the least trouble are tried first. */
export class GateTroubles {
  /** By node key in hex, the latest last. */
  readonly #times = new Map<string, number>();

  /** `gate` is a node key in hex. */
  note(gate: string): void {
    const times = this.#times.get(gate) ?? 0;
    this.#times.delete(gate);
    this.#times.set(gate, times + 1);
    const [oldest] = this.#times.keys();
    if (this.#times.size > LIMITS.finderTroubles && oldest !== undefined) this.#times.delete(oldest);
  }

  of(gate: HopTarget): number {
    return this.#times.get(gate.nodeKey.toString("hex")) ?? 0;
  }
}
