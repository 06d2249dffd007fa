import type { AgeKeys } from "../pack/age-header.ts";
import { PackReader } from "../pack/pack-reader.ts";
import type { Selection } from "../pack/selection.ts";
import type { WantedFiles } from "../pack/wanted-files.ts";
import type { Swarm } from "../swarm/swarm.ts";
import { levelsBefore, planOf, type Pieces, type Plan } from "./piece-levels.ts";

/** What is wanted, or how that is found out once the index is there. */
export type Wanted = Selection | ((reader: PackReader) => Promise<Selection>);

/** Which files a download is to bring. */
export interface Choice {
  /** From the start. Where the index says first what that is, nothing else is fetched before. */
  readonly selection: Wanted;
  /** What earlier downloads brought and put there. */
  readonly opened: Selection | undefined;
  /** The pack stays and is handed out: where nothing is skipped it becomes whole. */
  readonly isKept: boolean;
  /** The index is there, and says what the selection comes to; again whenever that is another one. */
  readonly onPlan?: ((plan: Plan) => void) | undefined;
}

/** Keeps a swarm and whoever opens its pack to what is chosen, also when that changes. */
export class Choosing {
  readonly files: WantedFiles;
  /** Fulfilled once `files` says what is wanted, and the swarm fetches that. Rejects with what reading the index raises. */
  readonly ready: Promise<void>;
  readonly #swarm: Pick<Swarm, "want" | "source">;
  readonly #info: Pieces;
  readonly #keys: AgeKeys;
  readonly #choice: Choice;
  #selection: Selection | undefined;
  /** What was wanted last, as long as that is not found out. */
  #sought: Exclude<Wanted, Selection> | undefined;
  #changed = new AbortController();
  #reader: Promise<PackReader> | undefined;
  /** The latest plan being made: earlier ones that are late count for nothing. */
  #planning: Promise<void> | undefined;

  constructor(swarm: Pick<Swarm, "want" | "source">, info: Pieces, keys: AgeKeys, choice: Choice) {
    this.#swarm = swarm;
    this.#info = info;
    this.#keys = keys;
    this.#choice = choice;
    const { selection, opened } = choice;
    this.files = { now: () => this.#now(), opened };
    const isKnown = typeof selection !== "function";
    if (isKnown) this.#selection = selection;
    else this.#sought = selection;
    const wantsAll = isKnown && opened === undefined && selection.wantsAll;
    // Until the index is there, too, nothing comes that may not be wanted.
    if (!wantsAll) swarm.want({ levels: levelsBefore(info), isPreliminary: true });
    // Everything, and all of it alike: that needs no index.
    const isPlain = wantsAll && selection.choices().length === 0;
    this.ready = isPlain ? Promise.resolve() : this.#plan();
    this.ready.catch(() => {});
  }

  /** From now on this is wanted; where that is found out first, what was wanted before is until then. Rejects as `ready`. */
  choose(wanted: Wanted): Promise<void> {
    if (typeof wanted === "function") this.#sought = wanted;
    else this.#take(wanted);
    return this.#plan();
  }

  #take(selection: Selection): void {
    this.#sought = undefined;
    this.#selection = selection;
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  #now(): ReturnType<WantedFiles["now"]> {
    // Nobody asks before it is ready.
    return { selection: this.#selection as Selection, changed: this.#changed.signal };
  }

  #plan(): Promise<void> {
    const planning: Promise<void> = this.#planOnce(() => this.#planning === planning);
    this.#planning = planning;
    planning.catch(() => {});
    return planning;
  }

  async #planOnce(isLatest: () => boolean): Promise<void> {
    const reader = await this.#opened();
    const { opened, isKept, onPlan } = this.#choice;
    for (let sought = this.#sought; sought !== undefined; sought = this.#sought) {
      const found = await sought(reader);
      // Another one may have been chosen meanwhile.
      if (this.#sought === sought) this.#take(found);
    }
    const selection = this.#selection as Selection;
    const plan = await planOf(reader, this.#info, { selection, opened, isKept });
    if (!isLatest()) return;
    this.#swarm.want({ levels: plan.levels });
    onPlan?.(plan);
  }

  #opened(): Promise<PackReader> {
    const opening = (this.#reader ??= PackReader.open(this.#swarm.source(), this.#keys));
    // Whoever chooses once more tries once more.
    opening.catch(() => {
      if (this.#reader === opening) this.#reader = undefined;
    });
    return opening;
  }
}
