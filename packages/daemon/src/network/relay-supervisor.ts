import { isDeepStrictEqual } from "node:util";
import type { Clock } from "@backroom/core/base/clock.ts";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import type { Log } from "@backroom/core/base/log.ts";
import type { RunningRelay } from "@backroom/core/node/running-relay.ts";

/** Between tries, doubled each time. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
/** One that ran for this long and failed then has a fault of another kind than one that does not start. */
const STEADY_MS = 10 * 60_000;

/** What the person has agreed to. */
export interface RelayWish {
  readonly mode: "auto" | "on";
  readonly gate: boolean;
  readonly port: number;
  /** With `on`: where others reach it. Empty: at this computer's own addresses. */
  readonly hosts: readonly string[];
}

export interface RelayRun {
  readonly signal: AbortSignal;
  /** It is known whether others reach it. */
  onReady(relay: RunningRelay): void;
  /** Whether others reach it, or through whom, is another thing now. */
  onStanding(): void;
}

export interface RelaySupervisorDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Runs a relay until `signal` is aborted. Raises as `runRelay`. */
  run(wish: RelayWish, run: RelayRun): Promise<void>;
  /** Something of what can be read here is another one now. */
  onChange(): void;
}

export type RelayState = "off" | "starting" | "running" | "failed";

/** Keeps one relay running for as long as it is wanted: begins anew what failed, later each time, and what is wanted differently. */
export class RelaySupervisor {
  readonly #deps: RelaySupervisorDeps;
  #wish: RelayWish | undefined;
  #state: RelayState = "off";
  #relay: RunningRelay | undefined;
  #failure: BackroomError | undefined;
  #sinceMs: number | undefined;
  #failures = 0;
  #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(deps: RelaySupervisorDeps) {
    this.#deps = deps;
  }

  get state(): RelayState {
    return this.#state;
  }

  /** While it runs. */
  get relay(): RunningRelay | undefined {
    return this.#relay;
  }

  /** Why it does not run, until it does or is not wanted any more. */
  get failure(): BackroomError | undefined {
    return this.#failure;
  }

  /** When it began to run, in wall time. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** From now on such a relay, or none. One that runs as wanted goes on. */
  want(wish: RelayWish | undefined): void {
    const before = this.#wish;
    this.#wish = wish;
    if (!isDeepStrictEqual(before, wish)) this.restart();
  }

  /** Something that it was made with is different now, such as the network. */
  restart(): void {
    this.#failures = 0;
    this.#stop.abort();
    this.#stop = new AbortController();
    // One that runs sees by itself what is wanted now.
    if (this.#running === undefined && this.#wish !== undefined) this.#running = this.#keepUp();
  }

  /** Fulfilled once it has ended. */
  async close(): Promise<void> {
    this.#wish = undefined;
    this.#stop.abort();
    await this.#running;
  }

  async #keepUp(): Promise<void> {
    // One after the other: a relay's keys, folder and port are those of the one before.
    for (let wish = this.#wish; wish !== undefined; wish = this.#wish) {
      const { signal } = this.#stop;
      const failure = await this.#runOnce(wish, signal);
      if (signal.aborted) continue;
      this.#failure = failure;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, LONGEST_PAUSE_MS);
      this.#deps.log("warn", "the relay failed and is started again", { code: failure.code, pauseMs });
      this.#set("failed");
      await this.#pause(pauseMs, signal);
    }
    this.#running = undefined;
    this.#failure = undefined;
    this.#set("off");
  }

  async #runOnce(wish: RelayWish, signal: AbortSignal): Promise<BackroomError> {
    const { clock } = this.#deps;
    const startedMs = clock.monotonicMs();
    this.#set("starting");
    try {
      await this.#deps.run(wish, {
        signal,
        onReady: (relay) => {
          this.#relay = relay;
          this.#failure = undefined;
          this.#sinceMs = clock.nowMs();
          this.#set("running");
        },
        onStanding: () => this.#deps.onChange(),
      });
      return new BackroomError("E_INTERNAL", "the relay ended by itself");
    } catch (error) {
      if (isBackroomError(error)) return error;
      return new BackroomError("E_INTERNAL", "the relay failed in a way it should not", { cause: error });
    } finally {
      this.#relay = undefined;
      this.#sinceMs = undefined;
      if (clock.monotonicMs() - startedMs >= STEADY_MS) this.#failures = 0;
    }
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const cancel = this.#deps.clock.after(ms, end);
      signal.addEventListener("abort", end);
    });
  }

  #set(state: RelayState): void {
    this.#state = state;
    this.#deps.onChange();
  }
}
