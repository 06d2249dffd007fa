import type { Catalogue } from "../catalogue/catalogue.ts";

/** Under which the catalogue keeps the ids of the shares that were active last. */
const LATEST = "engine.latest";

/** Which shares were active last: after a start they are the ones on circuits of their own again. */
export class LatestShares {
  readonly #catalogue: Pick<Catalogue, "value" | "putValue">;
  #kept: ReadonlySet<string> = new Set();

  constructor(catalogue: Pick<Catalogue, "value" | "putValue">) {
    this.#catalogue = catalogue;
  }

  /** From the one that was active longest ago to the latest: new ones are later than old ones, and what is noted as active last is latest. */
  inOrder<T extends { readonly id: string }>(newestFirst: readonly T[]): T[] {
    const noted = this.#catalogue.value(LATEST);
    const latest = Array.isArray(noted) ? noted.filter((id) => typeof id === "string") : [];
    const rankOf = new Map(latest.map((id, rank) => [id, latest.length - rank]));
    return newestFirst.toReversed().sort((a, b) => (rankOf.get(a.id) ?? 0) - (rankOf.get(b.id) ?? 0));
  }

  /** Notes them, the latest first, where others are among them than before. */
  keep(latest: readonly string[]): void {
    const isSame = latest.length === this.#kept.size && latest.every((id) => this.#kept.has(id));
    if (isSame || latest.length === 0) return;
    this.#kept = new Set(latest);
    this.#catalogue.putValue(LATEST, latest);
  }
}
