import type { LiveLine } from "./live-line.ts";
import { RateMeter, progressLine } from "./progress.ts";

/** Progress of one piece of work, told as often as it is worth. */
export interface Progress {
  update(done: number, total: number, note?: string): void;
  /** Tells the last of it. */
  end(): void;
}

/** `live`: a bar that is drawn over; `plain`: a line now and then, for a file or pipe. */
type Form = "json" | "live" | "plain" | "none";

/** Between two reports. */
const EVERY_MS: Readonly<Record<Form, number>> = { json: 250, live: 100, plain: 5000, none: 5000 };
const PLAIN_COLUMNS = 100;

export interface ProgressReportDeps {
  readonly form: Form;
  readonly line: Pick<LiveLine, "draw" | "keep" | "columns">;
  readonly stderr: Pick<NodeJS.WriteStream, "write">;
  readonly event: (name: string, data: Record<string, unknown>) => void;
}

export class ProgressReport implements Progress {
  readonly #label: string;
  readonly #deps: ProgressReportDeps;
  readonly #meter = new RateMeter();
  #toldMs: number;
  /** Tells what came since. */
  #tell: (() => void) | undefined;

  constructor(label: string, deps: ProgressReportDeps) {
    this.#label = label;
    this.#deps = deps;
    // Without a terminal what is done within seconds needs no line of its own before its end.
    this.#toldMs = deps.form === "live" || deps.form === "json" ? -Infinity : performance.now();
  }

  update(done: number, total: number, note?: string): void {
    const nowMs = performance.now();
    const rates = this.#meter.sample(nowMs, done, total);
    const state = { done, total, ...rates, ...(note === undefined ? {} : { note }) };
    this.#tell = () => {
      this.#tell = undefined;
      this.#toldMs = nowMs;
      this.#report(state);
    };
    if (nowMs - this.#toldMs >= EVERY_MS[this.#deps.form]) this.#tell();
  }

  end(): void {
    this.#tell?.();
    this.#deps.line.keep();
  }

  #report(state: Parameters<typeof progressLine>[1]): void {
    const { form, line, stderr, event } = this.#deps;
    if (form === "json") {
      const { done, total, rate, secondsLeft } = state;
      const eta = Number.isFinite(secondsLeft) ? secondsLeft : null;
      event("progress", { label: this.#label, done, total, rate: Math.round(rate), secondsLeft: eta });
    } else if (form === "live") line.draw(progressLine(this.#label, state, line.columns));
    else if (form === "plain") stderr.write(`${progressLine(this.#label, state, PLAIN_COLUMNS)}\n`);
  }
}
