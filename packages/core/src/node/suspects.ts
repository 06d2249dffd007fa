import type { Clock } from "../base/clock.ts";

/** A relay that was part of a path that failed is left out for this long, unless only such are left. */
const AVOID_MS = 60_000;

/**
 * Relays (node keys in hex) that circuits are better built without for a while. The hop that did not join is *missing*; those between it and
 * the guard, whose word that is, are only *doubted*; the guard is not even that, since any of the others could else lead from guard to guard.
 */
export class Suspects {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #missing = new Map<string, number>();
  readonly #doubted = new Map<string, number>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** A path failed when `joined` of its hops had joined. */
  note(path: readonly { readonly key: string }[], joined: number): void {
    const untilMs = this.#clock.monotonicMs() + AVOID_MS;
    const lost = path[joined];
    if (lost !== undefined) this.#missing.set(lost.key, untilMs);
    for (const relay of path.slice(1, joined)) this.#doubted.set(relay.key, untilMs);
  }

  missing(): Set<string> {
    return this.#unexpired(this.#missing);
  }

  doubted(): Set<string> {
    return this.#unexpired(this.#doubted);
  }

  #unexpired(untilMs: Map<string, number>): Set<string> {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, until] of untilMs) if (until <= nowMs) untilMs.delete(key);
    return new Set(untilMs.keys());
  }
}
