import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";
import { EffortControl } from "./effort-control.ts";

/** Somebody who wants a tunnel. */
export interface Candidate {
  readonly effort: number;
  readonly sinceMs: number;
  /** It went away by itself. */
  readonly gone: boolean;
  /** Opens the tunnel; `later` where there is no place now, `never` where it must not be opened. */
  open(): "opened" | "later" | "never";
  refuse(): void;
}

/** Who waits for tunnels to one seeder: the most effort first, among equals who came first. */
export class ConnectLine {
  /** Ends and places at the seeder; it answers each tunnel with a handshake. */
  readonly bucket: TokenBucket;
  readonly #control: EffortControl;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #waiting: Candidate[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.bucket = new TokenBucket(clock, LIMITS.gateConnectBurst, LIMITS.gateConnectsPerSecond);
    this.#control = new EffortControl(clock);
  }

  get length(): number {
    return this.#waiting.length;
  }

  get first(): Candidate | undefined {
    return this.#waiting[0];
  }

  /** What somebody who comes now should show. */
  get effort(): number {
    return this.#control.effort(this.first?.effort);
  }

  /** Beyond the bound the last one goes, which may be the newcomer. */
  add(candidate: Candidate): void {
    const before = this.#waiting.findIndex(({ effort }) => effort < candidate.effort);
    this.#waiting.splice(before === -1 ? this.#waiting.length : before, 0, candidate);
    if (this.#waiting.length > LIMITS.gateWaitingPerSeeder) this.dropLast();
  }

  dropLast(): void {
    const last = this.#waiting.pop();
    if (last === undefined) return;
    this.#control.refused(last.effort);
    last.refuse();
  }

  /** Takes the first one out of the line: it was served. */
  served(): void {
    const first = this.#waiting.shift();
    if (first === undefined) return;
    const waited = this.#clock.monotonicMs() > first.sinceMs;
    if (waited || this.#waiting.length > 0) this.#control.servedUnderLoad(first.effort);
  }

  /** Takes out the first one, who must not be served at all. */
  removeFirst(): void {
    this.#waiting.shift()?.refuse();
  }

  /** Takes out whoever is gone, and whoever has waited for too long. */
  sweep(): void {
    const oldestMs = this.#clock.monotonicMs() - LIMITS.gateWaitMs;
    const late = (candidate: Candidate): boolean => candidate.sinceMs <= oldestMs;
    const over = this.#waiting.filter((candidate) => candidate.gone || late(candidate));
    for (const candidate of over) {
      this.#waiting.splice(this.#waiting.indexOf(candidate), 1);
      if (candidate.gone) continue;
      this.#control.refused(candidate.effort);
      candidate.refuse();
    }
  }

  /** Refuses all: their seeder is gone. */
  clear(): void {
    for (const candidate of this.#waiting.splice(0)) candidate.refuse();
  }
}
