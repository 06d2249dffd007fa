import { formatBytes, formatDuration, formatRate } from "./format.ts";

/** Rate over the last few seconds: a mean since the start would take minutes to notice that a transfer has stopped. */
const WINDOW_MS = 5000;

export interface Meter {
  /** Bytes a second over the window. */
  readonly rate: number;
  /** Seconds left at that rate, Infinity when nothing moves. */
  readonly secondsLeft: number;
}

/** Turns «done so far» samples into a rate. Pure: the time is passed in. */
export class RateMeter {
  readonly #samples: { atMs: number; done: number }[] = [];

  sample(atMs: number, done: number, total: number): Meter {
    this.#samples.push({ atMs, done });
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? atMs) <= atMs - WINDOW_MS)
      this.#samples.shift();
    const first = this.#samples[0] ?? { atMs, done };
    const seconds = (atMs - first.atMs) / 1000;
    const rate = seconds > 0 ? Math.max(0, done - first.done) / seconds : 0;
    return { rate, secondsLeft: rate > 0 ? (total - done) / rate : Infinity };
  }
}

/** One line: `Downloading  [######----]  62 %  312 MiB of 503 MiB  48.1 MiB/s  4 s left`. Never wider than `columns`. */
export function progressLine(
  label: string,
  state: { done: number; total: number; rate: number; secondsLeft: number; note?: string },
  columns: number,
): string {
  const share = state.total > 0 ? Math.min(1, state.done / state.total) : 1;
  const parts = [
    `${String(Math.floor(share * 100)).padStart(3)} %`,
    `${formatBytes(state.done)} of ${formatBytes(state.total)}`,
    state.rate > 0 ? formatRate(state.rate) : "waiting",
    ...(share < 1 && state.rate > 0 ? [`${formatDuration(state.secondsLeft)} left`] : []),
    ...(state.note === undefined ? [] : [state.note]),
  ];
  const text = parts.join("  ");
  const room = columns - label.length - text.length - 8;
  const width = Math.min(30, room);
  if (width < 6) return `${label}  ${text}`.slice(0, Math.max(0, columns - 1));
  const filled = Math.round(share * width);
  return `${label}  [${"#".repeat(filled)}${"-".repeat(width - filled)}]  ${text}`;
}
