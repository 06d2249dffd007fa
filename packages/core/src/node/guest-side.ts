import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { shuffled, type Random } from "../base/random.ts";
import type { Relay } from "../circuit/relay.ts";
import { publishQuestion, type AskRelay } from "../directory/questions.ts";
import type { RelayInfo } from "../directory/relay-info.ts";
import { related } from "../directory/subnets.ts";
import type { RelayTable } from "../directory/table.ts";

/** How often hosts are sought and told anew: well within the hour after which an info is signed again. */
const ROUND_MS = 10 * 60_000;
const AGAIN_MS = 5_000;
const MOST_AGAIN_MS = 5 * 60_000;
/** A relay that did not answer, or has no room, is left alone for this long. */
const REST_MS = 30 * 60_000;

export interface GuestSideDeps {
  readonly relay: Pick<Relay, "keep">;
  readonly table: RelayTable;
  readonly network: { readonly test: boolean };
  readonly clock: Clock;
  readonly random: Random;
  /** This relay's own node key in hex. */
  readonly ownKey: string;
  /** Asks anonymously, over another channel than the one that is kept. */
  readonly askRelay: AskRelay;
  /** The signed info that names these hosts; undefined where there are none. */
  infoNaming(hosts: readonly RelayInfo[]): Buffer | undefined;
  /** The hosts are others than before. */
  onHosts(): void;
}

/**
 * A relay that nobody can dial keeps channels to a few that can be dialled, of different networks, so that circuits are extended to it there
 * (PROTOCOL 7.9). It chooses them itself and dials nobody on a stranger's word.
 */
export class GuestSide {
  readonly #deps: GuestSideDeps;
  readonly #hosts = new Map<string, RelayInfo>();
  readonly #release = new Map<string, () => void>();
  readonly #restUntilMs = new Map<string, number>();
  #againMs = AGAIN_MS;
  #cancel = (): void => {};
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: GuestSideDeps) {
    this.#deps = deps;
  }

  get hostCount(): number {
    return this.#hosts.size;
  }

  /** Resolves after the first attempt, whatever came of it. */
  start(): Promise<void> {
    return this.#round();
  }

  /** Lets go of the hosts; their channels stay while circuits use them. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
    for (const key of this.#hosts.keys()) this.#drop(key);
  }

  #round(): Promise<void> {
    this.#cancel();
    this.#running ??= this.#seekAndTell().finally(() => {
      this.#running = undefined;
      if (this.#stopped) return;
      const enough = this.#hosts.size >= LIMITS.guestHosts;
      this.#againMs = enough ? AGAIN_MS : Math.min(2 * this.#againMs, MOST_AGAIN_MS);
      this.#cancel = this.#deps.clock.after(enough ? ROUND_MS : this.#againMs, () => void this.#round());
    });
    return this.#running;
  }

  async #seekAndTell(): Promise<void> {
    const before = [...this.#hosts.keys()].join();
    for (const relay of this.#candidates()) {
      if (this.#hosts.size >= LIMITS.guestHosts || this.#stopped) break;
      const held = [...this.#hosts.values()];
      if (held.some((host) => related(host, relay, this.#deps.network))) continue;
      if (!(await this.#keep(relay))) this.#rest(relay);
    }
    if (!this.#stopped) await this.#tell();
    if (!this.#stopped && before !== [...this.#hosts.keys()].join()) this.#deps.onHosts();
  }

  async #keep(relay: RelayInfo): Promise<boolean> {
    try {
      const release = await this.#deps.relay.keep(relay, () => this.#lost(relay));
      this.#release.set(relay.key, release);
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      return false;
    }
    this.#hosts.set(relay.key, relay);
    return true;
  }

  /** Each host learns that it is named; one that has no room is named no longer, and the others are told so. */
  async #tell(): Promise<void> {
    for (;;) {
      const hosts = [...this.#hosts.values()];
      const info = this.#deps.infoNaming(hosts);
      if (info === undefined) return;
      const told = await Promise.all(hosts.map((host) => this.#publish(host, info)));
      const refused = hosts.filter((_, index) => told[index] !== true);
      for (const host of refused) {
        this.#drop(host.key);
        this.#rest(host);
      }
      if (refused.length === 0 || this.#stopped) return;
    }
  }

  async #publish(host: RelayInfo, info: Buffer): Promise<boolean> {
    try {
      await this.#deps.askRelay(host, publishQuestion(info));
      return true;
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      return false;
    }
  }

  #lost(relay: RelayInfo): void {
    if (!this.#hosts.delete(relay.key) || this.#stopped) return;
    this.#deps.infoNaming([...this.#hosts.values()]);
    this.#deps.onHosts();
    this.#againMs = AGAIN_MS;
    this.#cancel();
    this.#cancel = this.#deps.clock.after(AGAIN_MS, () => void this.#round());
  }

  #drop(key: string): void {
    this.#hosts.delete(key);
    this.#release.get(key)?.();
    this.#release.delete(key);
  }

  #rest(relay: RelayInfo): void {
    this.#restUntilMs.set(relay.key, this.#deps.clock.monotonicMs() + REST_MS);
  }

  /** As for paths: relays that are vouched for, as soon as there are enough of them. */
  #candidates(): RelayInfo[] {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [key, untilMs] of this.#restUntilMs) if (untilMs <= nowMs) this.#restUntilMs.delete(key);
    const known = this.#deps.table.forPaths();
    const fit = known.filter(
      ({ key }) => key !== this.#deps.ownKey && !this.#hosts.has(key) && !this.#restUntilMs.has(key),
    );
    return shuffled(fit, this.#deps.random);
  }
}
