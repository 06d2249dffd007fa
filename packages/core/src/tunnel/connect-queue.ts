import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import type { ServedCircuit } from "../circuit/stream.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";
import { ConnectLine, type Candidate } from "./connect-line.ts";

/** How often those who wait are looked at. */
const TURN_MS = 100;

/**
 * Who gets the next tunnel of a gate. While there is room everybody does, at once. Otherwise whoever shows the most work does, for one seeder and
 * for all; whoever is last of a full line, or waits for too long, is refused and may ask what it takes now.
 */
export class ConnectQueue {
  readonly #clock: Clock;
  readonly #all: TokenBucket;
  readonly #lines = new Map<ServedCircuit, ConnectLine>();
  #cancelTurn: (() => void) | undefined;
  /** The last turn ended for want of room for all: somebody may wait who shows more than a newcomer. */
  #scarce = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#all = new TokenBucket(clock, LIMITS.gateAllConnectBurst, LIMITS.gateAllConnectsPerSecond);
  }

  get waiting(): number {
    let waiting = 0;
    for (const line of this.#lines.values()) waiting += line.length;
    return waiting;
  }

  /** What somebody who comes now for one of these seeders should show. */
  effortFor(seeders: Iterable<ServedCircuit>): number {
    return Math.max(0, ...[...seeders].map((seeder) => this.#lines.get(seeder)?.effort ?? 0));
  }

  /** Opens, refuses or keeps the candidate, now or later. */
  offer(seeder: ServedCircuit, candidate: Candidate): void {
    const line = this.#lines.get(seeder) ?? new ConnectLine(this.#clock);
    this.#lines.set(seeder, line);
    line.add(candidate);
    if (!this.#scarce) this.#serve(line);
    if (this.waiting > LIMITS.gateWaiting) this.#longest()?.dropLast();
    this.#cancelTurn ??= this.#clock.after(TURN_MS, () => this.#turn());
  }

  close(): void {
    this.#cancelTurn?.();
    for (const line of this.#lines.values()) line.clear();
    this.#lines.clear();
  }

  #turn(): void {
    this.#cancelTurn = undefined;
    for (const [seeder, line] of this.#lines) {
      line.sweep();
      if (!seeder.alive) line.clear();
      // Whoever has nothing to say about the next one who comes is forgotten: a burst is whole again by then.
      const rested = line.length === 0 && line.effort === 0 && line.bucket.full;
      if (rested || !seeder.alive) this.#lines.delete(seeder);
    }
    this.#serveAll();
    if (this.#lines.size > 0) this.#cancelTurn = this.#clock.after(TURN_MS, () => this.#turn());
  }

  /** The line whose first shows most, again and again, until nothing more can be opened. */
  #serveAll(): void {
    const able = new Set(this.#lines.values());
    for (;;) {
      let best: ConnectLine | undefined;
      for (const line of able) {
        if (line.first === undefined) able.delete(line);
        else if (best?.first === undefined || line.first.effort > best.first.effort) best = line;
      }
      this.#scarce = best !== undefined && !this.#all.ready;
      if (best === undefined || this.#scarce) return;
      if (!this.#serveOne(best)) able.delete(best);
    }
  }

  #serve(line: ConnectLine): void {
    while (this.#all.ready && this.#serveOne(line));
    this.#scarce = line.length > 0 && !this.#all.ready;
  }

  /** False when the line can go no further now. */
  #serveOne(line: ConnectLine): boolean {
    const { first } = line;
    if (first === undefined || !line.bucket.ready) return false;
    const outcome = first.gone ? "never" : first.open();
    if (outcome === "later") return false;
    if (outcome === "never") {
      line.removeFirst();
      return true;
    }
    line.bucket.take();
    this.#all.take();
    line.served();
    return true;
  }

  #longest(): ConnectLine | undefined {
    return [...this.#lines.values()].toSorted((a, b) => b.length - a.length)[0];
  }
}
