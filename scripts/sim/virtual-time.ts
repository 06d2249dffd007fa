import type { Clock } from "../../packages/core/src/base/clock.ts";

interface Timer {
  readonly dueMs: number;
  /** Breaks ties: of two timers that are due together, the one that was set first runs first. */
  readonly order: number;
  run: (() => void) | undefined;
}

/** When the simulated world begins: an arbitrary day, far from any turn of the machine's own clock. */
const EPOCH_MS = 1_800_000_000_000;

/**
 * A clock that jumps from event to event. All of one time run, then everything that they set off as promises or `setImmediate`, until
 * nothing is left to do at that time; only then does time move. So a computation takes no time, and order depends on nothing but the
 * order of calls: two runs are the same, event for event.
 */
export class VirtualTime implements Clock {
  #ms = 0;
  #order = 0;
  /** A binary heap, the earliest on top. */
  readonly #heap: Timer[] = [];
  eventCount = 0;

  nowMs(): number {
    return EPOCH_MS + this.#ms;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer: Timer = { dueMs: this.#ms + Math.max(0, delayMs), order: this.#order++, run };
    this.#push(timer);
    // What is cancelled stays in the heap till it is due, without what it held: most timers are time limits that are cancelled soon.
    return () => void (timer.run = undefined);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Runs everything up to `untilMs` (monotonic). What an event throws, this throws. */
  async runUntil(untilMs: number): Promise<void> {
    await quiet();
    for (let top = this.#heap[0]; top !== undefined && top.dueMs <= untilMs; top = this.#heap[0]) {
      this.#ms = top.dueMs;
      let ran = false;
      while (this.#heap[0] !== undefined && this.#heap[0].dueMs <= this.#ms) {
        const { run } = this.#pop();
        if (run === undefined) continue;
        this.eventCount++;
        ran = true;
        run();
      }
      if (ran) await quiet();
    }
    this.#ms = untilMs;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent] as Timer)) break;
      heap[at] = heap[parent] as Timer;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): Timer {
    const heap = this.#heap;
    const top = heap[0] as Timer;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (!isBefore(heap[child] as Timer, last)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

/** A turn of the event loop runs all promises; more turns are taken while somebody waits for one, as proof of work does between slices. */
async function quiet(): Promise<void> {
  do await new Promise<void>((resolve) => setImmediate(resolve));
  while (process.getActiveResourcesInfo().includes("Immediate"));
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
