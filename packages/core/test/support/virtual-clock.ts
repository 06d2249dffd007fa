import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../src/base/clock.ts";

interface Timer {
  readonly dueMs: number;
  /** Of two timers that are due at once the older runs first. */
  readonly number: number;
  run: (() => void) | undefined;
}

/**
 * Time that passes only in `run`, from one timer to the next, for simulations with many of them: everything that a timer sets off happens before
 * the next one is due, so what a run shows depends on the protocol and not on the machine.
 */
export class VirtualClock implements Clock {
  readonly #startMs = 1_800_000_000_000;
  #passedMs = 0;
  #count = 0;
  /** A binary heap, the next one first. */
  readonly #timers: Timer[] = [];

  nowMs(): number {
    return this.#startMs + this.#passedMs;
  }

  monotonicMs(): number {
    return this.#passedMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer: Timer = { dueMs: this.#passedMs + Math.max(0, delayMs), number: ++this.#count, run };
    this.#push(timer);
    return () => {
      timer.run = undefined;
    };
  }

  /** Lets time pass until `done` says so, `ms` at most. */
  async run(ms: number, done: () => boolean = () => false): Promise<void> {
    const endMs = this.#passedMs + ms;
    await nextTurn();
    while (!done()) {
      const next = this.#timers[0];
      if (next === undefined || next.dueMs > endMs) {
        this.#passedMs = endMs;
        return;
      }
      this.#pop();
      if (next.run === undefined) continue;
      this.#passedMs = Math.max(this.#passedMs, next.dueMs);
      next.run();
      await nextTurn();
    }
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(timer, heap[above] as Timer)) break;
      heap[at] = heap[above] as Timer;
      at = above;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#timers;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1] as Timer, heap[below] as Timer)) below++;
      if (!before(heap[below] as Timer, last)) break;
      heap[at] = heap[below] as Timer;
      at = below;
    }
    heap[at] = last;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.number < b.number);
}
