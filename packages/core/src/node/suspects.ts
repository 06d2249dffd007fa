import type { Clock } from "../base/clock.ts";

/** A relay that was part of a path that failed is left out for this long, unless only such are left. */
const AVOID_MS = 60_000;
/**
 * A guard behind which circuits to so many different last hops came to nothing within that time is the likely reason; fewer last hops could do it on purpose, to
 * make a member show itself through its other guards.
 */
const LAST_HOPS = 3;
/** Longer than the above: it takes up to half a minute to see that one circuit is of no use. */
const LOSSY_MS = 5 * 60_000;

/**
 * Relays (node keys in hex) that circuits are better built without for a while. The hop that did not join is *missing*; those between it and
 * the guard, whose word that is, are only *doubted*; the guard is not even that, since any of the others could else lead from guard to guard.
 */
export class Suspects {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #missing = new Map<string, number>();
  readonly #doubted = new Map<string, number>();
  /** Until when a last hop counts, by guard. */
  readonly #lostBehind = new Map<string, Map<string, number>>();
  /** Paths that are waited for: they may come up after all. */
  readonly #waits = new Set<{ readonly missing: readonly string[]; readonly doubted: readonly string[] }>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** A path is waited for after `joined` of its hops have joined: the same as if it had failed, until the function that this gives is called. */
  wait(path: readonly { readonly key: string }[], joined: number): () => void {
    const keys = path.map(({ key }) => key);
    const wait = { missing: keys.slice(joined, joined + 1), doubted: keys.slice(1, joined) };
    this.#waits.add(wait);
    return () => void this.#waits.delete(wait);
  }

  /** A path failed when `joined` of its hops had joined. */
  note(path: readonly { readonly key: string }[], joined: number): void {
    const untilMs = this.#clock.monotonicMs() + AVOID_MS;
    const lost = path[joined];
    if (lost !== undefined) this.#missing.set(lost.key, untilMs);
    for (const relay of path.slice(1, joined)) this.#doubted.set(relay.key, untilMs);
  }

  /** A circuit that stood was of no use, or was taken away: any relay of it may be the reason. */
  noteLost(path: readonly { readonly key: string }[]): void {
    const [guard, ...others] = path;
    const last = others.at(-1);
    this.note(path, path.length);
    if (guard === undefined || last === undefined) return;
    const lost = this.#lostBehind.get(guard.key) ?? new Map<string, number>();
    this.#lostBehind.set(guard.key, lost.set(last.key, this.#clock.monotonicMs() + LOSSY_MS));
  }

  /** Guards behind which too much is lost to be chance or one relay's doing. */
  lossyGuards(): Set<string> {
    const isLossy = ([, lost]: [string, Map<string, number>]): boolean =>
      this.#unexpired(lost).size >= LAST_HOPS;
    return new Set([...this.#lostBehind].filter(isLossy).map(([guard]) => guard));
  }

  missing(): Set<string> {
    return new Set([...this.#unexpired(this.#missing), ...[...this.#waits].flatMap((wait) => wait.missing)]);
  }

  doubted(): Set<string> {
    return new Set([...this.#unexpired(this.#doubted), ...[...this.#waits].flatMap((wait) => wait.doubted)]);
  }

  #unexpired(untilMs: Map<string, number>): Set<string> {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, until] of untilMs) if (until <= nowMs) untilMs.delete(key);
    return new Set(untilMs.keys());
  }
}
