import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import { within } from "../base/within.ts";
import type { ChannelPool } from "../circuit/channel-pool.ts";
import { hopTarget, type RelayInfo } from "../directory/relay-info.ts";
import type { Guards } from "./guards.ts";

/** How long the first guard may take before the next one gets a try, too: longer than a healthy dial over a slow line, shorter than people wait. */
const PATIENCE_MS = 1_500;

export interface EntryDeps {
  readonly clock: Clock;
  readonly channels: Pick<ChannelPool, "get">;
  readonly guards: Pick<Guards, "failed" | "worked" | "retryAtMs">;
}

/**
 * A member's way in: brings up a channel to one of its guards before anything is built through it, so that a guard that is gone without a
 * word costs a moment and not the time that a dial may take. Tells the guards which of them answer.
 */
export class Entry {
  readonly #deps: EntryDeps;
  /** Dials under way, by node key in hex. */
  readonly #dials = new Map<string, Promise<RelayInfo>>();
  readonly #probes = new Map<string, () => void>();
  #closed = false;

  constructor(deps: EntryDeps) {
    this.#deps = deps;
  }

  /**
   * One of `guards`, best the first, that has a channel; each of the others is dialled when those before it fail or are slow. Raises why the
   * last one failed when all do.
   */
  async reach(guards: readonly RelayInfo[]): Promise<RelayInfo> {
    const dials: Promise<RelayInfo>[] = [];
    for (const guard of guards) {
      dials.push(this.#dial(guard));
      const reached = await this.#first(dials, dials.length < guards.length);
      if (reached !== undefined) return reached;
    }
    return dials.at(-1) as Promise<RelayInfo>;
  }

  /** Has the guard, which did not answer, tried again when that is due, and again and again until it answers. */
  retry(guard: RelayInfo): void {
    const { clock, guards } = this.#deps;
    const atMs = guards.retryAtMs(guard.key);
    if (this.#closed || atMs === undefined) return;
    this.#probes.get(guard.key)?.();
    const again = (): void => {
      this.#probes.delete(guard.key);
      this.#dial(guard).catch(() => this.retry(guard));
    };
    this.#probes.set(guard.key, clock.after(Math.max(0, atMs - clock.monotonicMs()), again));
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#probes.values()) cancel();
    this.#probes.clear();
  }

  /** The first dial that succeeds; undefined when all have failed, or when somebody else should get a try. */
  async #first(dials: readonly Promise<RelayInfo>[], isHurried: boolean): Promise<RelayInfo | undefined> {
    const any = Promise.any(dials).catch(() => undefined);
    return isHurried ? within(this.#deps.clock, PATIENCE_MS, any) : any;
  }

  #dial(guard: RelayInfo): Promise<RelayInfo> {
    const { channels, guards } = this.#deps;
    const underWay = this.#dials.get(guard.key);
    if (underWay !== undefined) return underWay;
    const dial = channels
      .get(hopTarget(guard))
      .then(
        () => {
          guards.worked(guard.key);
          return guard;
        },
        (error: unknown) => {
          if (isGuardsFault(error) && !this.#closed) guards.failed(guard.key);
          throw error;
        },
      )
      .finally(() => this.#dials.delete(guard.key));
    // Somebody may have stopped waiting for it.
    dial.catch(() => {});
    this.#dials.set(guard.key, dial);
    return dial;
  }
}

/** A proxy that is down says nothing of the guards: were they blamed, whoever can stop it could walk a member through the network. */
export function isGuardsFault(error: unknown): boolean {
  return isBackroomError(error) && error.code !== "E_PROXY";
}
