import type { Clock } from "@backroom/core/base/clock.ts";

export interface TellerDeps<State> {
  readonly clock: Clock;
  /** Between looks while something lives that changes by itself, in milliseconds. */
  readonly everyMs: number;
  read(): State | Promise<State>;
  /** What makes a state news: without what changes all the time, such as an age. */
  essenceOf(state: State): unknown;
  /** Whether there is something that changes without telling. */
  isLive(): boolean;
  tell(state: State): void;
}

export interface Teller {
  /** Something may have changed. */
  look(): void;
  close(): void;
}

/** Tells a state when it is another one than was told last. Without anything that lives there is no timer. */
export function createTeller<State>(deps: TellerDeps<State>): Teller {
  let told: string | undefined;
  let isLooking = false;
  let isDue = false;
  let isClosed = false;
  let cancel: (() => void) | undefined;

  function look(): void {
    isDue = true;
    if (!isLooking) void lookWhileDue();
  }

  async function lookWhileDue(): Promise<void> {
    isLooking = true;
    while (isDue) {
      isDue = false;
      // One after the other, or an older state could be told last.
      // oxlint-disable-next-line no-await-in-loop
      await lookOnce();
    }
    isLooking = false;
  }

  async function lookOnce(): Promise<void> {
    if (isClosed) return;
    try {
      const state = await deps.read();
      const essence = JSON.stringify(deps.essenceOf(state));
      if (isClosed) return;
      if (essence !== told) deps.tell(state);
      told = essence;
    } catch {
      // Whoever asks for the state is told why it cannot be read; there is no news meanwhile.
    }
    cancel?.();
    cancel = deps.isLive() && !isClosed ? deps.clock.after(deps.everyMs, look) : undefined;
  }

  return {
    look,
    close() {
      isClosed = true;
      cancel?.();
    },
  };
}
