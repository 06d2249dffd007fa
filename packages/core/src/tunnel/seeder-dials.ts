import { BackroomError, codeOf, isBackroomError } from "../base/errors.ts";
import { firstOf } from "../base/first-of.ts";
import { LIMITS } from "../base/limits.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { shuffled, type Random } from "../base/random.ts";
import type { HopTarget } from "../circuit/stream.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";
import { Dial, type FoundTunnel } from "./dial.ts";
import { connectTunnel } from "./gate-client.ts";
import type { GateTroubles } from "./gate-troubles.ts";
import { isNotBegun, type GateWay, type GateWays } from "./gate-ways.ts";
import type { KnownLease, LeaseBook } from "./lease-book.ts";
import type { LeaseQuestions } from "./lease-questions.ts";
import type { TunnelDeps } from "./tunnel-duplex.ts";
import { isNoWayIn } from "./way-in.ts";

export interface SeederDialsDeps extends TunnelDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly book: LeaseBook;
  readonly ways: GateWays;
  readonly troubles: GateTroubles;
  readonly questions: LeaseQuestions;
  /** See FinderDeps. */
  isAway(gate: HopTarget): boolean;
  readRelayInfo(info: Buffer): HopTarget;
  onNews(): void;
}

/** Whom to dial, and how many tunnels to stop after. */
export interface DialOptions {
  readonly want: number;
  /** False for a seeder that we are already connected to, or do not want again, or not through this gate (node key in hex). */
  isWanted(seeder: string, gate: string): boolean;
}

interface Entrance {
  readonly gate: HopTarget;
  readonly tag: Buffer;
}

/** Tunnels dialled at a time: hides the delay of a dead one. */
const AT_ONCE = 3;
/** Then the next gate of the lease gets a try beside this one: one that is off is known to be so after ten seconds. */
const GATE_PATIENCE_MS = 2_000;
/** A tunnel that is not up by then is not waited for: there may be news of the seeder meanwhile. */
const DIAL_PATIENCE_MS = 2 * GATE_PATIENCE_MS;
/** A lease that led nowhere is left alone for a while, longer each time: its seeder may be gone, and each attempt costs circuits. */
const DIAL_AGAIN_LEAST_MS = 5_000;
const DIAL_AGAIN_MOST_MS = 5 * 60_000;

/** Opens tunnels to the seeders of a book, through the gates that their leases name. */
export class SeederDials {
  readonly #deps: SeederDialsDeps;
  readonly #hearsay: TokenBucket;
  readonly #strangers: TokenBucket;
  /** Leases that led nowhere, by their seal. */
  readonly #failed = new Map<string, { readonly times: number; readonly untilMs: number }>();
  /** Under way, also those that were slow in an earlier call, and those that ended since. */
  readonly #dials = new Set<Dial>();
  /** Seeders to which a tunnel has come up. */
  readonly #reached = new Set<string>();

  constructor(deps: SeederDialsDeps) {
    this.#deps = deps;
    this.#hearsay = new TokenBucket(deps.clock, LIMITS.hearsayBurst, 1000 / LIMITS.hearsayEveryMs);
    this.#strangers = new TokenBucket(deps.clock, LIMITS.strangersBurst, 1000 / LIMITS.strangersEveryMs);
  }

  /** Whether the lease may be dialled, and leads through a gate that is wanted. */
  isUsable(known: KnownLease, options: Pick<DialOptions, "isWanted">): boolean {
    const untilMs = this.#failed.get(leaseName(known))?.untilMs ?? -Infinity;
    const isUnderWay = [...this.#dials].some(({ lease }) => lease === leaseName(known));
    return !isUnderWay && untilMs <= this.#deps.clock.monotonicMs() && this.leadsSomewhere(known, options);
  }

  /** The sharer, or somebody to whom a tunnel has come up before. */
  isMet({ isSharers, seeder }: KnownLease): boolean {
    return isSharers || this.#reached.has(seeder);
  }

  leadsSomewhere(known: KnownLease, options: Pick<DialOptions, "isWanted">): boolean {
    return this.#entrances(known, options).length > 0;
  }

  /** Whoever is not in the book any more is forgotten. */
  tidy(): void {
    const known = this.#deps.book.list();
    const names = new Set(known.map(leaseName));
    for (const name of this.#failed.keys()) if (!names.has(name)) this.#failed.delete(name);
    const seeders = new Set(known.map(({ seeder }) => seeder));
    for (const seeder of this.#reached) if (!seeders.has(seeder)) this.#reached.delete(seeder);
  }

  /**
   * Tunnels as they come up, until enough are there or nobody is left; gives how many. `next` names whom to dial, as long as there is somebody. Those that are slow
   * are not waited for: the next call yields them, if they come up after all. Where its reader stops, those under way are closed.
   */
  async *dialAll(
    next: () => KnownLease | undefined,
    options: DialOptions,
  ): AsyncGenerator<FoundTunnel, number, undefined> {
    let found = 0;
    let isLeft = true;
    try {
      for (;;) {
        while (this.#waitedFor().length < Math.min(AT_ONCE, options.want - found)) {
          const known = next();
          if (known === undefined) break;
          this.#begin(known, options);
        }
        const over = [...this.#dials].find(({ isOver }) => isOver);
        if (over === undefined) {
          if (this.#waitedFor().length === 0) break;
          await Promise.race([...this.#dials].map(({ news }) => news));
          continue;
        }
        this.#dials.delete(over);
        const tunnel = over.found;
        if (tunnel === undefined) continue;
        // Another one to the same seeder may have been quicker.
        if (!options.isWanted(tunnel.seeder, tunnel.gate)) tunnel.tunnel.close();
        else {
          found++;
          yield tunnel;
        }
      }
      isLeft = false;
    } finally {
      if (isLeft) this.drop();
    }
    return found;
  }

  /** Nobody wants those that are under way any more. */
  drop(): void {
    for (const dial of this.#dials) dial.drop();
    this.#dials.clear();
  }

  #waitedFor(): Dial[] {
    return [...this.#dials].filter(({ isOver, isSlow }) => !isOver && !isSlow);
  }

  #begin(known: KnownLease, options: DialOptions): void {
    const { clock } = this.#deps;
    const how = { clock, patienceMs: DIAL_PATIENCE_MS, onLate: () => this.#deps.onNews() };
    this.#dials.add(new Dial(leaseName(known), this.#dial(known, options), how));
  }

  /** Tries the lease's gates one after the other, and beside one that is slow. Never rejects. */
  async #dial(known: KnownLease, options: DialOptions): Promise<FoundTunnel | undefined> {
    // Anybody with the link can make such leases up without end, and each costs circuits that others need.
    const bounds = this.#boundsOn(known);
    if (!bounds.every((bound) => bound.ready)) return undefined;
    for (const bound of bounds) bound.take();
    const entrances = this.#entrances(known, options);
    let isToBlame = false;
    let isWayIn = true;
    let isFound = false;
    const begin = (onSlow: () => void): Promise<FoundTunnel> | undefined => {
      // A later lease of the same seeder: the tags of this one are gone, most likely.
      const isOld = !this.#deps.book.list().some(({ sealed }) => sealed.equals(known.sealed));
      const entrance = isOld ? undefined : entrances.shift();
      return (
        entrance &&
        this.#dialAt(entrance, known, { onSlow, isOver: () => isFound }).catch((error: unknown) => {
          isWayIn &&= !isNoWayIn(error);
          isToBlame ||= !isNotBegun(error);
          throw error;
        })
      );
    };
    try {
      const discard = ({ tunnel }: FoundTunnel): void => tunnel.close();
      const found = await firstOf<FoundTunnel>({ begin, mayGoOn: () => true, discard });
      isFound = true;
      this.#failed.delete(leaseName(known));
      this.#reached.add(known.seeder);
      this.#deps.book.markAlive(known.seeder);
      this.#deps.log("debug", "a tunnel to a seeder is up", { isSharers: known.isSharers });
      return found;
    } catch {
      // Who was not asked did not fail: there is nothing to learn from it, and the next round may do better.
      if (isToBlame) this.#noteFailed(known);
      else if (!isWayIn) for (const bound of bounds) bound.giveBack();
      return undefined;
    }
  }

  #noteFailed(known: KnownLease): void {
    const { book, questions, clock } = this.#deps;
    book.markDead(known.seeder);
    // The seeder may have gone to other gates, or left a newer lease at these: they are worth asking again. As rarely as it is dialled.
    questions.forget();
    const times = this.#failed.get(leaseName(known))?.times ?? 0;
    const waitMs = Math.min(DIAL_AGAIN_LEAST_MS * 2 ** times, DIAL_AGAIN_MOST_MS);
    this.#failed.set(leaseName(known), { times: times + 1, untilMs: clock.monotonicMs() + waitMs });
  }

  #boundsOn(known: KnownLease): TokenBucket[] {
    return [...(known.isHearsay ? [this.#hearsay] : []), ...(this.isMet(known) ? [] : [this.#strangers])];
  }

  /** Where it `isOver` once the circuit is there, the seeder is not asked to answer one more tunnel. */
  async #dialAt(
    { gate, tag }: Entrance,
    known: KnownLease,
    { onSlow, isOver }: { readonly onSlow: () => void; readonly isOver: () => boolean },
  ): Promise<FoundTunnel> {
    const { clock, log, ways, troubles } = this.#deps;
    const name = gate.nodeKey.toString("hex");
    let way: GateWay | undefined;
    let isTold = false;
    const cancel = clock.after(GATE_PATIENCE_MS, () => {
      isTold = true;
      troubles.note(name);
      log("debug", "a tunnel is waited for, and another gate tried");
      onSlow();
    });
    try {
      const taken = await ways.take(gate, "tunnel");
      if (isOver()) {
        taken.circuit.destroy();
        throw new BackroomError("E_GATE", "another gate was quicker");
      }
      way = taken;
      const entrance = { gateKey: gate.nodeKey, tag, terms: way.terms };
      const tunnel = await connectTunnel(
        way.circuit,
        entrance,
        known.lease,
        known.keys.tunnelPsk,
        this.#deps,
      );
      return { tunnel, seeder: known.seeder, isSharers: known.isSharers, gate: name };
    } catch (error) {
      log("debug", "a seeder could not be reached through one of its gates", { code: codeOf(error) });
      if (way === undefined && isNotBegun(error)) throw error;
      if (!isTold) troubles.note(name);
      if (way !== undefined) await this.#afterFailed(way, gate, known, error);
      throw error;
    } finally {
      cancel();
    }
  }

  /** Where only the seeder is gone, the gate can be asked over the same circuit where it went. */
  async #afterFailed(way: GateWay, gate: HopTarget, known: KnownLease, error: unknown): Promise<void> {
    const isSeederGone = isBackroomError(error, "E_TUNNEL") && isBackroomError(error.cause, "E_REFUSED");
    if (isSeederGone) await this.#deps.questions.askForNewer(way, gate, known.keys.topic);
    else way.circuit.destroy();
  }

  /** Through which the seeder is wanted now: those with the least trouble first, otherwise at random. Infos that may not be used are left out. */
  #entrances(known: KnownLease, { isWanted }: Pick<DialOptions, "isWanted">): Entrance[] {
    const { random, troubles } = this.#deps;
    const troublesOf = ({ gate }: Entrance): number =>
      (this.#deps.isAway(gate) ? LIMITS.finderTroubles : 0) + troubles.of(gate);
    return shuffled(known.lease.gates, random)
      .flatMap(({ info, tag }) => {
        const gate = this.readGate(info);
        return gate === undefined ? [] : [{ gate, tag }];
      })
      .filter(({ gate }) => isWanted(known.seeder, gate.nodeKey.toString("hex")))
      .toSorted((a, b) => troublesOf(a) - troublesOf(b));
  }

  /** Undefined for one that may not be used. */
  readGate(info: Buffer): HopTarget | undefined {
    try {
      return this.#deps.readRelayInfo(info);
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      return undefined;
    }
  }
}

/** Of this very lease: a new one of the same seeder is tried at once. */
export function leaseName(known: KnownLease): string {
  return known.sealed.toString("hex", 0, 28);
}
