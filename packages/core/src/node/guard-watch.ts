import { LIMITS } from "../base/limits.ts";
import type { BiasKind, BiasVerdict } from "../directory/path-bias.ts";
import type { Guards } from "./guards.ts";

/** What a failure says about the guard where the relay that was lost has not been seen working lately: it may just be gone. */
const DOUBTFUL = 0.25;

interface Blame {
  readonly kind: BiasKind;
  readonly weight: number;
}

interface Held {
  /** The channel over which it happened. */
  readonly channel: object;
  readonly blames: Blame[];
}

export interface GuardWatchDeps {
  readonly guards: Guards;
  onVerdict(key: string, verdict: BiasVerdict): void;
}

/** How a circuit failed. */
export interface Failure {
  readonly kind: BiasKind;
  /** Nothing but the guard, or bad luck, is a likely reason: the relay that was lost has been seen working lately. */
  readonly isCertain: boolean;
  /** The guard's channel lives, and told of it: so the network was there. */
  readonly isTold: boolean;
}

/**
 * Keeps account of what becomes of circuits through each guard (DESIGN 6: a gate that kills circuits must not find its way to one, and a guard
 * that kills circuits must not choose which ones live). A failure of which the guard did not tell counts against it only once a later circuit
 * comes up over the same channel: where the network went away, the channel goes with it, and all that failed with it is one doubtful failure.
 */
export class GuardWatch {
  readonly #deps: GuardWatchDeps;
  readonly #held = new Map<string, Held>();

  constructor(deps: GuardWatchDeps) {
    this.#deps = deps;
  }

  /** A circuit over `channel` reached its last hop, or the last hop answered. */
  succeeded(key: string, channel: object, kind: BiasKind): void {
    const held = this.#held.get(key);
    this.#held.delete(key);
    if (held !== undefined) this.#settle(key, held, channel);
    this.#count(key, { kind, weight: 1 }, true);
  }

  /** A circuit failed behind the guard. */
  failed(key: string, channel: object, { kind, isCertain, isTold }: Failure): void {
    const held = this.#held.get(key);
    const blame: Blame = { kind, weight: isCertain ? 1 : DOUBTFUL };
    if (isTold) {
      this.#held.delete(key);
      if (held !== undefined) this.#settle(key, held, channel);
      return this.#count(key, blame, false);
    }
    if (held?.channel === channel) {
      if (held.blames.length < LIMITS.guardBlamesHeld) held.blames.push(blame);
      return;
    }
    if (held !== undefined) this.#settle(key, held, channel);
    this.#held.set(key, { channel, blames: [blame] });
  }

  #settle(key: string, held: Held, channel: object): void {
    const [first] = held.blames;
    const isSame = held.channel === channel || first === undefined;
    const blames = isSame ? held.blames : [{ ...first, weight: DOUBTFUL }];
    for (const blame of blames) this.#count(key, blame, false);
  }

  #count(key: string, { kind, weight }: Blame, isSuccess: boolean): void {
    const verdict = this.#deps.guards.count(key, kind, isSuccess, weight);
    if (verdict !== undefined) this.#deps.onVerdict(key, verdict);
  }
}
