import type { Clock } from "../base/clock.ts";
import { codeOf, isBackroomError, type ErrorCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Circuit, HopTarget } from "../circuit/stream.ts";
import { askLeases } from "./gate-client.ts";
import type { GateSlot } from "./gate-slot.ts";
import { openLease, type Lease } from "./lease.ts";
import type { EpochKeys } from "./topic.ts";

export interface OwnLookUpsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A circuit of its own to that gate, by the hops that a downloader's would have. Rejects when it cannot be built. */
  openLookUpCircuit(gate: HopTarget): Promise<Circuit>;
}

/** After a registration: soon, since until then nobody may find the share, and at a time that the gate cannot tell from the registration. */
const FIRST_LEAST_MS = 10_000;
const FIRST_SPREAD_MS = 60_000;
/** Seldom: each goes over a second hop that is fresh, next to the guard, and a gate is kept for a day. */
const AGAIN_LEAST_MS = 6 * 3_600_000;
const AGAIN_SPREAD_MS = 4 * 3_600_000;
/** Where it told nothing, doubled each time. */
const RETRY_LEAST_MS = 2 * 60_000;

/** What an answer of another form raises, which is the gate's own word as well. */
const NO_ANSWER: ReadonlySet<string> = new Set<ErrorCode>(["E_GATE", "E_BENCODE"]);

/** A gate that is asked now and then, over whichever circuit we stand on. */
interface Watched {
  slot: GateSlot;
  retryMs: number;
  cancel(): void;
}

/**
 * Whether gates hand our leases out: asks them by circuits and with questions that are a downloader's, for a gate may take a lease, answer whatever is asked over its seeder's
 * own circuit, and hide it from everybody else (docs/adr/0043-a-seeder-looks-itself-up.md). What counts against a gate is its own answer alone, which nobody on the way can make up.
 */
export class OwnLookUps {
  readonly #deps: OwnLookUpsDeps;
  readonly #onHidden: (slot: GateSlot) => void;
  /** By node key in hex. */
  readonly #watched = new Map<string, Watched>();

  constructor(deps: OwnLookUpsDeps, onHidden: (slot: GateSlot) => void) {
    this.#deps = deps;
    this.#onHidden = onHidden;
  }

  /** From now on; a gate that is watched stays so when another circuit leads there. */
  watch(slot: GateSlot): void {
    const known = this.#watched.get(slot.name);
    if (known !== undefined) return void (known.slot = slot);
    const watched: Watched = { slot, retryMs: RETRY_LEAST_MS, cancel: () => {} };
    this.#watched.set(slot.name, watched);
    this.#later(watched, FIRST_LEAST_MS, FIRST_SPREAD_MS);
  }

  /** Those that are over are forgotten by themselves. */
  close(): void {
    for (const watched of this.#watched.values()) watched.cancel();
    this.#watched.clear();
  }

  #later(watched: Watched, leastMs: number, spreadMs: number): void {
    const { clock, random } = this.#deps;
    watched.cancel = clock.after(leastMs + random.below(spreadMs), () => void this.#lookUp(watched));
  }

  async #lookUp(watched: Watched): Promise<void> {
    const { name } = watched.slot;
    const verdict = watched.slot.alive ? await this.#isHandedOut(watched.slot) : undefined;
    if (this.#watched.get(name) !== watched) return;
    if (verdict === false && watched.slot.alive) {
      // Who has no other gate comes back to it, which brings no look-up before its time.
      watched.retryMs = AGAIN_LEAST_MS;
      this.#later(watched, AGAIN_LEAST_MS, AGAIN_SPREAD_MS);
      this.#onHidden(watched.slot);
    } else if (verdict === true) {
      watched.retryMs = RETRY_LEAST_MS;
      this.#later(watched, AGAIN_LEAST_MS, AGAIN_SPREAD_MS);
    } else if (!watched.slot.alive && watched.retryMs >= AGAIN_LEAST_MS) {
      this.#watched.delete(name);
    } else {
      // Also while no circuit leads there: a gate that breaks ours whenever it is asked is not asked the sooner for it.
      this.#later(watched, watched.retryMs, watched.retryMs);
      watched.retryMs = Math.min(2 * watched.retryMs, AGAIN_LEAST_MS);
    }
  }

  /** Undefined where nobody can say: the gate was not reached, or names as many as it may. */
  async #isHandedOut(slot: GateSlot): Promise<boolean | undefined> {
    const { random } = this.#deps;
    const places = slot.leased();
    const place = places.length > 0 ? places[random.below(places.length)] : undefined;
    if (place === undefined) return undefined;
    const named = await this.#leasesNamed(slot.session.gate, place.keys);
    if (named === undefined || place.lost || !slot.alive) return undefined;
    // Whichever of ours it is: it may be renewed meanwhile, more than once.
    if (named.some((lease) => place.isNamedIn(lease))) return true;
    return place.isSharers || named.length < LIMITS.gateLeasesAnswered ? false : undefined;
  }

  /** What the gate says to whoever asks, as far as it is leases of this topic: none where its answer is none. Undefined where it was not reached or refused. */
  async #leasesNamed(gate: HopTarget, keys: EpochKeys): Promise<Lease[] | undefined> {
    const { clock, log } = this.#deps;
    let circuit: Circuit | undefined;
    try {
      circuit = await this.#deps.openLookUpCircuit(gate);
      const { leases } = await askLeases(circuit, keys.topic, clock);
      return leases.flatMap((sealed) => openedLease(keys, sealed, clock.nowMs()) ?? []);
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      log("debug", "a lease of one's own could not be looked up", { code: codeOf(error) });
      return circuit !== undefined && NO_ANSWER.has(error.code) ? [] : undefined;
    } finally {
      circuit?.destroy();
    }
  }
}

/** Undefined for what a gate made up: whoever has no link can make none. */
function openedLease(keys: EpochKeys, sealed: Buffer, nowMs: number): Lease | undefined {
  try {
    return openLease(keys, sealed, nowMs);
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return undefined;
  }
}
