import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { ChannelPool } from "../circuit/channel-pool.ts";
import { buildCircuit } from "../circuit/client-circuit.ts";
import type { Circuit } from "../circuit/stream.ts";
import { placeGuest } from "../directory/guest-hops.ts";
import { pickPath, pickSeconds, type PathRole, type Profile } from "../directory/path.ts";
import { hopTarget, type RelayInfo } from "../directory/relay-info.ts";
import type { Guards } from "./guards.ts";
import { Suspects } from "./suspects.ts";

const SECONDS = 4;
/** Paths tried before a circuit is given up; each avoids the relays of those that failed. */
const PATHS_TRIED = 5;
/** A path to a gate that was somebody else's choice is not tried again once this many relays could not reach it. */
const GATE_FAILURES = 2;
/** Before another path, doubled each time: a channel that has just died takes a moment to be known as dead, and would fail them all at once. */
const PAUSE_MS = 40;

/** What a path is for; a seeder's middle hops are the member's to keep. */
export type CircuitRole =
  | Exclude<PathRole, { readonly role: "seeder" }>
  | { readonly role: "seeder"; readonly gate?: RelayInfo | undefined };

export interface CircuitsDeps {
  readonly network: { readonly test: boolean };
  readonly profile: Profile;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly channels: ChannelPool;
  readonly guards: Guards;
  /** What paths are picked from, in the table's order. */
  relays(): readonly RelayInfo[];
  /** The guests that are known behind a relay. */
  guestsBehind(host: RelayInfo): readonly RelayInfo[];
  /** There are other guards, which the next run has to know. */
  onGuardsChanged(): void;
}

/** A member's own circuits: picks paths, builds them, and goes round what fails. */
export class Circuits {
  readonly #deps: CircuitsDeps;
  readonly #suspects: Suspects;
  #seconds: RelayInfo[] = [];

  constructor(deps: CircuitsDeps) {
    this.#deps = deps;
    this.#suspects = new Suspects(deps.clock);
  }

  guards(): readonly RelayInfo[] {
    return this.#deps.guards.among(this.#deps.relays());
  }

  /** A circuit for that purpose; relays in `avoid` (node keys in hex) are left out. Raises E_NETWORK_TOO_SMALL, E_CIRCUIT and their kin. */
  async open(
    want: CircuitRole,
    avoid: ReadonlySet<string> = new Set(),
  ): Promise<{ circuit: Circuit; path: RelayInfo[] }> {
    const { channels, clock, log } = this.#deps;
    let failure: unknown;
    let gateFailures = 0;
    for (let tried = 0; tried < PATHS_TRIED && gateFailures < GATE_FAILURES; tried++) {
      if (tried > 0) await this.#pause(PAUSE_MS * 2 ** tried);
      // Anew each time: a middle hop that is missing was taken out of the seeder's set.
      // A seeder's second hops are kept, and none of them is bound to one guard: no guest is among them.
      const path =
        want.role === "seeder"
          ? this.#pick({ ...want, seconds: this.#middles() }, avoid)
          : this.#withGuest(this.#pick(want, avoid), avoid);
      let joined = 0;
      const sinceMs = clock.monotonicMs();
      try {
        const circuit = await buildCircuit({ channels, clock }, path.map(hopTarget), () => joined++);
        const tookMs = clock.monotonicMs() - sinceMs;
        log("debug", "a circuit was built", { role: want.role, hopCount: path.length, tookMs });
        return { circuit, path };
      } catch (error) {
        if (!isBackroomError(error)) throw error;
        failure = error;
        this.#suspect(path, joined);
        if ("gate" in want && want.gate !== undefined && joined === path.length - 1) gateFailures++;
        log("debug", "a circuit could not be built", {
          code: error.code,
          role: want.role,
          hopCount: joined,
          tookMs: clock.monotonicMs() - sinceMs,
        });
      }
    }
    throw failure;
  }

  #pick(want: PathRole, avoid: ReadonlySet<string>): RelayInfo[] {
    const { profile, network, random } = this.#deps;
    const pick = (avoided: ReadonlySet<string>): RelayInfo[] =>
      pickPath(
        this.#deps.relays(),
        want,
        { profile, network, guards: this.guards(), avoid: avoided },
        random,
      );
    const missing = this.#suspects.missing();
    const doubted = this.#suspects.doubted();
    if (this.guards().every((guard) => missing.has(guard.key))) this.#takeMoreGuards(missing);
    // In a small network those under suspicion may be all there are: first the doubted come back, then all.
    for (const suspects of [new Set([...missing, ...doubted]), missing]) {
      if (suspects.size === 0) continue;
      try {
        return pick(new Set([...avoid, ...suspects]));
      } catch (error) {
        if (!isBackroomError(error, "E_NETWORK_TOO_SMALL")) throw error;
      }
    }
    return pick(avoid);
  }

  #withGuest(path: readonly RelayInfo[], avoid: ReadonlySet<string>): RelayInfo[] {
    const missing = this.#suspects.missing();
    const fit = ({ key }: RelayInfo): boolean => !avoid.has(key) && !missing.has(key);
    const guestsBehind = (host: RelayInfo): RelayInfo[] => this.#deps.guestsBehind(host).filter(fit);
    return placeGuest(path, { network: this.#deps.network, guestsBehind }, this.#deps.random);
  }

  #suspect(path: readonly RelayInfo[], joined: number): void {
    this.#suspects.note(path, joined);
    this.#seconds = this.#seconds.filter((relay) => relay !== path[joined]);
  }

  /** The middle hops that this run's standing circuits use. */
  #middles(): readonly RelayInfo[] {
    const { network, random } = this.#deps;
    if (this.#seconds.length < 2) {
      this.#seconds = pickSeconds(this.#present(), this.guards(), SECONDS, network, random);
    }
    return this.#seconds;
  }

  #present(): readonly RelayInfo[] {
    const missing = this.#suspects.missing();
    const relays = this.#deps.relays();
    const present = relays.filter((relay) => !missing.has(relay.key));
    return present.length > 0 ? present : relays;
  }

  #takeMoreGuards(missing: ReadonlySet<string>): void {
    if (this.#deps.guards.takeMore(this.#deps.relays(), missing)) this.#deps.onGuardsChanged();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#deps.clock.after(ms, resolve));
  }
}
