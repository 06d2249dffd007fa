import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";

const WINDOW_MS = 1_000;

/**
 * Counts packets by source within one second. Sources of UDP can be forged, so the bound on all of them also bounds the memory,
 * which is given up whole at the end of each second.
 */
export class PacketRate {
  readonly #clock: Clock;
  readonly #perSource: number;
  readonly #counts = new Map<string, number>();
  #all = 0;
  #sinceMs = -Infinity;

  constructor(clock: Clock, perSource: number) {
    this.#clock = clock;
    this.#perSource = perSource;
  }

  allow(address: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#sinceMs >= WINDOW_MS) {
      this.#sinceMs = nowMs;
      this.#all = 0;
      this.#counts.clear();
    }
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#perSource || this.#all >= LIMITS.dhtAllPackets) return false;
    this.#counts.set(address, count + 1);
    this.#all++;
    return true;
  }
}
