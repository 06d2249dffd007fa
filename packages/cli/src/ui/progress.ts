import { formatBytesOf, formatDuration, formatRate } from "./format.ts";

/** Rate over the last few seconds: a mean since the start would take minutes to notice that a transfer has stopped. */
const WINDOW_MS = 5000;

export interface Meter {
  /** Bytes a second over the window; once all is done, over the whole time. */
  readonly rate: number;
  /** Seconds left at that rate, Infinity when nothing moves. */
  readonly secondsLeft: number;
  readonly secondsPassed: number;
}

/** Turns «done so far» samples into a rate. Pure: the time is passed in. */
export class RateMeter {
  readonly #samples: { atMs: number; done: number }[] = [];
  #first: { atMs: number; done: number } | undefined;

  sample(atMs: number, done: number, total: number): Meter {
    const now = { atMs, done };
    this.#first ??= now;
    this.#samples.push(now);
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? atMs) <= atMs - WINDOW_MS)
      this.#samples.shift();
    const since = done >= total ? this.#first : (this.#samples[0] ?? now);
    const seconds = (atMs - since.atMs) / 1000;
    const rate = seconds > 0 ? Math.max(0, done - since.done) / seconds : 0;
    return {
      rate,
      secondsLeft: rate > 0 ? (total - done) / rate : Infinity,
      secondsPassed: (atMs - this.#first.atMs) / 1000,
    };
  }
}

/** So that the bars of stages that follow each other stand in one column. */
const LABEL_WIDTH = "Downloading".length;

/** One line: `Downloading  [######----]  62 %  312 of 503 MiB  48.1 MiB/s  4 s left`. Never as wide as `columns`. */
export function progressLine(
  label: string,
  state: Meter & { done: number; total: number; note?: string },
  columns: number,
): string {
  const share = state.total > 0 ? Math.min(1, state.done / state.total) : 1;
  const body = [
    `${String(Math.floor(share * 100)).padStart(3)} %`,
    formatBytesOf(state.done, state.total),
    ...pace(state, share),
  ];
  const text = state.note === undefined || share === 1 ? body : [...body, state.note];
  // Of one width however long the rest is: a bar whose end moves cannot be read.
  const width = columns >= 110 ? 30 : columns >= 95 ? 20 : 8;
  const filled = Math.round(share * width);
  const bar = `[${"#".repeat(filled)}${"-".repeat(width - filled)}]`;
  const name = label.padEnd(LABEL_WIDTH);
  const lines = [
    [name, bar, ...text],
    [name, bar, ...body],
    [name, ...body],
  ].map((parts) => parts.join("  "));
  return lines.find((line) => line.length < columns) ?? (lines[2] ?? "").slice(0, Math.max(0, columns - 1));
}

function pace({ rate, secondsLeft, secondsPassed }: Meter, share: number): string[] {
  if (share === 1) return rate > 0 ? [formatRate(rate), `in ${formatDuration(secondsPassed)}`] : [];
  return rate > 0 ? [formatRate(rate), `${formatDuration(secondsLeft)} left`] : ["waiting"];
}
