import type { TransferState } from "@backroom/api/schemas/transfer.ts";
import type { Live } from "./live.ts";
import type { Run } from "./run.ts";
import type { Seeding } from "./seeding.ts";

/** What each transfer does just now, by the word of whoever is at it: what is done to its pack beside its run, its run, or its seat. */
export class Lives {
  readonly runs = new Map<string, Run>();
  /** What is done to a pack beside its run, such as opening it once more. */
  readonly jobs = new Map<string, Live>();
  readonly #seeding: Pick<Seeding, "live" | "busy" | "counts">;
  /** What shares that are open looked like when that was asked last. */
  #seen: ReadonlyMap<string, string> = new Map();

  constructor(seeding: Pick<Seeding, "live" | "busy" | "counts">) {
    this.#seeding = seeding;
  }

  of(id: string): Live | undefined {
    return this.jobs.get(id) ?? this.runs.get(id)?.live ?? this.#seeding.live(id);
  }

  /** States and how many are in them; what is kept as over is the catalogue's to count. */
  counts(): Map<TransferState, number> {
    const counts = new Map<TransferState, number>();
    const add = (state: TransferState, count: number): unknown =>
      counts.set(state, (counts.get(state) ?? 0) + count);
    for (const { state, count } of this.#seeding.counts()) add(state, count);
    for (const id of this.runs.keys()) add(this.of(id)?.state ?? "queued", 1);
    return counts;
  }

  /** Rates in bytes a second, of all that have any. */
  sums(): Pick<Live, "downloadRate" | "uploadRate" | "peerCount"> {
    const lives = [...this.runs.keys(), ...this.#seeding.busy()].map((id) => this.of(id));
    const sum = (value: (live: Live) => number): number =>
      lives.reduce((total, live) => total + (live === undefined ? 0 : value(live)), 0);
    return {
      downloadRate: sum(({ downloadRate }) => downloadRate),
      uploadRate: sum(({ uploadRate }) => uploadRate),
      peerCount: sum(({ peerCount }) => peerCount),
    };
  }

  /** Nothing is fetched, sealed or handed out just now, and what can be found is where it should be. */
  get areQuiet(): boolean {
    if (this.runs.size > 0 || this.jobs.size > 0) return false;
    return this.#seeding.busy().every((id) => {
      const live = this.#seeding.live(id);
      return live?.peerCount === 0 && live.gateCount > 1;
    });
  }

  /** Shares that are handed out and look otherwise than when this was asked last. */
  changedSeats(): string[] {
    const before = this.#seen;
    const now = new Map(this.#seeding.busy().map((id) => [id, lookOf(this.#seeding.live(id))]));
    this.#seen = now;
    const changed = [...now].filter(([id, look]) => before.get(id) !== look).map(([id]) => id);
    return [...changed, ...[...before.keys()].filter((id) => !now.has(id))];
  }
}

function lookOf(live: Live | undefined): string {
  return [live?.state, live?.gateCount, live?.peerCount, Math.round(live?.uploadRate ?? 0)].join(" ");
}
