import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { Splice } from "./splice.ts";

interface Member {
  readonly splice: Splice;
  readonly seeder: object;
}

/**
 * All tunnels of a gate, and who gives way when there is no room: first whoever makes no progress, then, of the seeder that has most, whoever
 * makes least. So it is neither the longest queue that goes, for an honest one on a slow line is long too, nor a share with few tunnels.
 */
export class SpliceTotal {
  readonly #clock: Pick<Clock, "after" | "monotonicMs">;
  readonly #open = new Set<Member>();
  readonly #bySeeder = new Map<object, Set<Member>>();
  #waiting = 0;

  constructor(clock: Pick<Clock, "after" | "monotonicMs">) {
    this.#clock = clock;
  }

  /** Those that are joined. */
  get tunnels(): number {
    return this.#open.size;
  }

  /** Payloads that wait in all of them, and in those that are not joined yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** A new tunnel to `seeder`, which stands for its circuit. `onDone` runs once, when both its streams are gone. */
  splice(onDone: () => void, seeder: object = this): Splice {
    const splice: Splice = new Splice({
      clock: this.#clock,
      held: (by) => (this.#waiting += by),
      queued: () => this.#freeQueues(),
      joined: () => this.#add(member),
      done: () => {
        this.#remove(member);
        onDone();
      },
    });
    const member: Member = { splice, seeder };
    return splice;
  }

  /**
   * Whether there is a place for one more tunnel to `seeder`, ending another one where that is fair. `paid` is whether the newcomer did work: only
   * then it takes the place of one that makes progress.
   */
  makePlace(seeder: object, paid: boolean): boolean {
    const own = this.#bySeeder.get(seeder) ?? new Set();
    if (own.size >= LIMITS.gateTunnelsPerSeeder) return end(this.#leastUseful(own, paid));
    if (this.#open.size < LIMITS.gateTunnels) return true;
    const stalled = this.#leastUseful(this.#open, false);
    if (stalled !== undefined) return end(stalled);
    const largest = largestOf(this.#bySeeder.values(), (members) => members.size);
    return largest !== undefined && largest.size > own.size + 1 && end(this.#leastUseful(largest, paid));
  }

  /** Undefined where nobody has to go: all are busy, or too young to tell. */
  #leastUseful(members: Iterable<Member>, paid: boolean): Member | undefined {
    const all = [...members];
    const patienceMs = paid ? LIMITS.gateIdleMs : LIMITS.gateStallMs;
    const idle = all.filter(({ splice }) => splice.idleMs >= patienceMs);
    if (idle.length > 0) return largestOf(idle, ({ splice }) => splice.idleMs);
    if (!paid) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const settled = all.filter(({ splice }) => nowMs - splice.joinedMs >= LIMITS.gateTenureMs);
    return largestOf(settled, ({ splice }) => -splice.pace);
  }

  #freeQueues(): void {
    while (this.#waiting > LIMITS.gateQueuedFrames) {
      const victim = this.#mostInTheWay();
      if (victim === undefined) return;
      victim.splice.abort();
    }
  }

  #mostInTheWay(): Member | undefined {
    const holding = [...this.#open].filter(({ splice }) => splice.waiting > 0);
    const stalled = holding.filter(({ splice }) => splice.stalledMs >= LIMITS.gateStallMs);
    if (stalled.length > 0) return largestOf(stalled, ({ splice }) => splice.stalledMs);
    const waitingOf = (members: Iterable<Member>): number =>
      [...members].reduce((sum, { splice }) => sum + splice.waiting, 0);
    const fullest = largestOf(this.#bySeeder.values(), waitingOf);
    const ofFullest = [...(fullest ?? [])].filter(({ splice }) => splice.waiting > 0);
    const longest = Math.max(...ofFullest.map(({ splice }) => splice.stalledMs));
    return largestOf(
      ofFullest.filter(({ splice }) => splice.stalledMs === longest),
      ({ splice }) => splice.waiting,
    );
  }

  #add(member: Member): void {
    this.#open.add(member);
    const own = this.#bySeeder.get(member.seeder) ?? new Set();
    this.#bySeeder.set(member.seeder, own.add(member));
  }

  #remove(member: Member): void {
    this.#open.delete(member);
    const own = this.#bySeeder.get(member.seeder);
    own?.delete(member);
    if (own?.size === 0) this.#bySeeder.delete(member.seeder);
  }
}

function end(member: Member | undefined): boolean {
  member?.splice.abort();
  return member !== undefined;
}

/** The first of those with the largest measure. */
function largestOf<T>(items: Iterable<T>, measure: (item: T) => number): T | undefined {
  let best: T | undefined;
  let most = -Infinity;
  for (const item of items) {
    const size = measure(item);
    if (size <= most) continue;
    best = item;
    most = size;
  }
  return best;
}
