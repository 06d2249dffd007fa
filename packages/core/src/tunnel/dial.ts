import type { ByteDuplex } from "../base/duplex.ts";
import type { Clock } from "../base/clock.ts";

export interface FoundTunnel {
  /** Start it at once. Its circuit goes when it closes. */
  readonly tunnel: ByteDuplex;
  /** Names the seeder for `isWanted`. */
  readonly seeder: string;
  /** The gate that it goes through: node key in hex. */
  readonly gate: string;
  readonly isSharers: boolean;
}

/** An attempt to reach a seeder that is under way, and is not waited for any more once it is slow. */
export class Dial {
  readonly lease: string;
  isSlow = false;
  isOver = false;
  found: FoundTunnel | undefined;
  readonly #slowed: Promise<void>;
  readonly #ended: Promise<void>;
  #isDropped = false;

  /** `onLate`: a tunnel came up after it had been slow. `attempt` never rejects. */
  constructor(
    lease: string,
    attempt: Promise<FoundTunnel | undefined>,
    options: { readonly clock: Clock; readonly patienceMs: number; onLate(): void },
  ) {
    this.lease = lease;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#slowed = promise;
    const cancel = options.clock.after(options.patienceMs, () => {
      this.isSlow = true;
      resolve();
    });
    this.#ended = attempt.then((found) => {
      cancel();
      this.isOver = true;
      if (this.#isDropped) return found?.tunnel.close();
      this.found = found;
      if (this.isSlow && found !== undefined) options.onLate();
    });
  }

  /** Fulfilled when it is slow, or over. */
  get news(): Promise<void> {
    return this.isSlow ? this.#ended : Promise.race([this.#slowed, this.#ended]);
  }

  /** Nobody wants its tunnel any more. */
  drop(): void {
    this.#isDropped = true;
    this.found?.tunnel.close();
  }
}
