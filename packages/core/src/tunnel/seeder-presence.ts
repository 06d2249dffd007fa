import type { Clock } from "../base/clock.ts";
import type { ByteDuplex } from "../base/duplex.ts";
import { codeOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Circuit, HopTarget } from "../circuit/stream.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";
import { GatePlace, type OwnLease } from "./gate-place.ts";
import { GateSession, type TunnelHost } from "./gate-session.ts";
import type { LeaseGate, SeederKeys } from "./lease.ts";
import { rotationMs } from "./rotation.ts";
import { deriveEpoch, epochsAt, type EpochKeys, type ShareTopic } from "./topic.ts";
import type { TunnelDeps } from "./tunnel-duplex.ts";

export interface PresenceDeps extends TunnelDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /**
   * Builds a standing circuit: to `wanted` if given, else to a gate of the path picker's choice that is none of `avoid` (node keys in
   * hex). Rejects when no circuit can be built.
   */
  openGateCircuit(
    wanted: HopTarget | undefined,
    avoid: ReadonlySet<string>,
  ): Promise<{ readonly circuit: Circuit; readonly gate: HopTarget }>;
  /** A downloader came. Start it at once. */
  onTunnel(tunnel: ByteDuplex): void;
  /** Absent: a run of its own, after which nothing is remembered. */
  readonly gates?: GateMemory | undefined;
}

/** A gate that we stay with for about a day, whatever becomes of the circuits to it, and until when: wall clock, since it outlives the run. */
export interface ChosenGate {
  readonly gate: HopTarget;
  readonly untilMs: number;
}

/** What outlives the run. */
export interface GateMemory {
  readonly saved: readonly ChosenGate[];
  /** Called whenever they change. */
  save(gates: readonly ChosenGate[]): void;
}

export interface SeederShare extends ShareTopic {
  /** The lease key is the sharer's key where we are the sharer. */
  readonly seederKeys: SeederKeys;
}

const GATES = 2;
const MAINTAIN_MS = 60_000;
/** A gate is kept about a day: few gates ever see the seeder's second hops, and a lease's gates do not jump about. */
const GATE_LEAST_MS = 20 * 3_600_000;
const GATE_SPREAD_MS = 8 * 3_600_000;
/** Short at first: until a gate is found, nobody finds the share. */
const BACKOFF_LEAST_MS = 2_000;
const BACKOFF_MOST_MS = 15 * 60_000;
/** A gate that refused or broke is not chosen again for this long. */
const AVOID_MS = 30 * 60_000;

/** A circuit that dies younger than this was killed, or might as well have been. */
const YOUNG_MS = 2 * 60_000;

/** A gate and our circuit to it. */
interface Slot {
  readonly session: GateSession;
  readonly places: Map<number, GatePlace>;
  readonly sinceMs: number;
  /** From then on another circuit is made; monotonic, like `sinceMs`. */
  readonly circuitUntilMs: number;
  /** From then on another gate is chosen; wall clock. */
  gateUntilMs: number;
  /** The one that goes once this one is registered. */
  replaces: Slot | undefined;
}

/**
 * Keeps one share registered at two gates (DESIGN 6): opens, renews, re-registers at the turn of an epoch, replaces gates that die and
 * circuits before they age. What is new is registered before what is old goes. Nothing a gate does makes it build more than the allowance.
 */
export class SeederPresence {
  readonly #share: SeederShare;
  readonly #deps: PresenceDeps;
  readonly #rebuilds: TokenBucket;
  readonly #avoid = new Map<string, number>();
  readonly #epochs = new Map<number, EpochKeys>();
  #slots: Slot[] = [];
  /** Gates whose circuit broke: the next one goes there again, so that a guard that flaps does not show us to ever more gates. */
  #broken: ChosenGate[] = [];
  /** The gates that were saved last, by node key. */
  #savedNames = "";
  #failures = 0;
  #toldCount = 0;
  #notBeforeMs = 0;
  #cancelTimer: (() => void) | undefined;
  #running = false;
  #again = false;
  #closed = false;

  constructor(share: SeederShare, deps: PresenceDeps) {
    this.#share = share;
    this.#deps = deps;
    this.#rebuilds = new TokenBucket(deps.clock, LIMITS.rebuildBurst, 1000 / LIMITS.rebuildEveryMs);
    const lastMs = deps.clock.nowMs() + GATE_LEAST_MS + GATE_SPREAD_MS;
    // One that would be kept for longer than any was noted while the clock was wrong.
    const saved = (deps.gates?.saved ?? []).map(({ gate, untilMs }) => ({
      gate,
      untilMs: Math.min(untilMs, lastMs),
    }));
    this.#broken = saved.slice(0, GATES);
    this.#wake();
  }

  /** Gates at which the share is registered now: 2 when all is well. */
  get gateCount(): number {
    const isTaken = ({ session, places }: Slot): boolean =>
      session.alive && [...places.values()].some((place) => place.lease !== undefined);
    return this.#slots.filter(isTaken).length;
  }

  /** The newest lease that a gate took: to tell connected peers where we are from now on. */
  get lease(): OwnLease | undefined {
    const places = this.#current().flatMap((slot) => [...slot.places.values()]);
    const leases = places.flatMap((place) => place.lease ?? []);
    return leases.toSorted((a, b) => b.expirySeconds - a.expirySeconds)[0];
  }

  /** Withdraws everywhere. Tunnels that are up stay up, and their circuits with them. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    for (const slot of this.#slots) this.#retire(slot);
    this.#slots = [];
  }

  #wake(): void {
    if (this.#closed) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    void this.#maintain().finally(() => {
      this.#running = false;
      if (this.#closed) return;
      this.#cancelTimer?.();
      this.#cancelTimer = this.#deps.clock.after(this.#pauseMs(), () => this.#wake());
      if (!this.#again) return;
      this.#again = false;
      this.#wake();
    });
  }

  #pauseMs(): number {
    const waitMs = this.#notBeforeMs - this.#deps.clock.monotonicMs();
    if (waitMs > 0) return Math.min(waitMs, MAINTAIN_MS);
    // The wait may have ended while something else was registered: who has too few gates does not wait for the next round.
    return this.#current().length < GATES ? BACKOFF_LEAST_MS : MAINTAIN_MS;
  }

  async #maintain(): Promise<void> {
    while (!this.#closed && (await this.#openNext())) {
      // One circuit at a time, until there are enough or one fails.
    }
    await this.#register();
    for (const slot of this.#slots) {
      if (slot.replaces !== undefined) this.#drop(slot.replaces);
      slot.replaces = undefined;
    }
    this.#remember();
    if (this.gateCount !== this.#toldCount) {
      this.#toldCount = this.gateCount;
      this.#deps.log("info", "the share is registered at gates", { gateCount: this.#toldCount });
    }
  }

  #remember(): void {
    const inUse = this.#current().map(({ session, gateUntilMs }) => ({
      gate: session.gate,
      untilMs: gateUntilMs,
    }));
    const gates = [...inUse, ...this.#broken];
    const names = gates.map(({ gate }) => gate.nodeKey.toString("hex")).join();
    if (this.#closed || names === this.#savedNames) return;
    this.#savedNames = names;
    this.#deps.gates?.save(gates);
  }

  /** Opens what is missing or due; false when there is nothing to open, or not now. */
  async #openNext(): Promise<boolean> {
    const { clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    // Each time: more may have broken while the last one was built.
    this.#noteBroken(nowMs);
    const current = this.#current();
    const due = current.find((slot) => slot.circuitUntilMs <= nowMs);
    const missing = current.length < GATES;
    if ((due === undefined && !missing) || nowMs < this.#notBeforeMs) return false;
    if (!this.#rebuilds.take()) return false;
    const chosen =
      due === undefined ? this.#broken.shift() : { gate: due.session.gate, untilMs: due.gateUntilMs };
    const wanted = chosen !== undefined && chosen.untilMs > clock.nowMs() ? chosen : undefined;
    try {
      const avoid = wanted === undefined ? this.#avoided(nowMs) : new Set<string>();
      this.#add(await this.#deps.openGateCircuit(wanted?.gate, avoid), due, wanted?.untilMs);
      return true;
    } catch (error) {
      // Perhaps the gate is gone: the next attempt goes to another one. In a small network there may be none but those avoided.
      if (due !== undefined) due.gateUntilMs = clock.nowMs();
      if (wanted === undefined) this.#avoid.clear();
      this.#failed("a circuit to a gate could not be built", error);
      return false;
    }
  }

  #noteBroken(nowMs: number): void {
    const replaced = new Set(this.#slots.map((slot) => slot.replaces));
    for (const slot of this.#slots) {
      if (slot.session.alive || replaced.has(slot)) continue;
      if (nowMs - slot.sinceMs < YOUNG_MS) this.#avoid.set(nameOf(slot), nowMs + AVOID_MS);
      else this.#broken.push({ gate: slot.session.gate, untilMs: slot.gateUntilMs });
    }
    this.#slots = this.#slots.filter((slot) => slot.session.alive);
    this.#broken = this.#broken.slice(-GATES);
  }

  #add(
    opened: { circuit: Circuit; gate: HopTarget },
    replaces: Slot | undefined,
    gateUntilMs: number | undefined,
  ): void {
    const { random, clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    this.#deps.log("debug", "a circuit to a gate is there", { isInPlaceOfAnother: replaces !== undefined });
    const session = new GateSession(opened.circuit, opened.gate, this.#deps, () => this.#wake());
    if (this.#closed) return session.leave();
    this.#slots.push({
      session,
      places: new Map(),
      sinceMs: nowMs,
      circuitUntilMs: rotationMs(clock, random),
      gateUntilMs: gateUntilMs ?? clock.nowMs() + GATE_LEAST_MS + random.below(GATE_SPREAD_MS),
      replaces,
    });
  }

  /** Under every epoch in force, at every gate; the newest first, so that no lease names a gate that does not know its tag yet. */
  async #register(): Promise<void> {
    const epochs = epochsAt(this.#share.topicSecret, this.#deps.clock.nowMs());
    for (const old of this.#epochs.keys()) if (!epochs.includes(old)) this.#epochs.delete(old);
    for (const slot of this.#slots) {
      for (const [epoch, place] of slot.places)
        if (!epochs.includes(epoch) || place.lost) this.#leave(slot, epoch);
    }
    // All tags first, for every lease names them all.
    for (const slot of this.#current()) {
      await this.#try(slot, async () => {
        for (const epoch of epochs) this.#placeIn(slot, epoch);
      });
    }
    for (const slot of this.#current().toReversed()) {
      await this.#try(slot, async () => {
        for (const epoch of epochs) await slot.places.get(epoch)?.ensure(this.#leaseGates(epoch));
        this.#failures = 0;
      });
    }
  }

  /** A gate that fails is left, and not chosen again for a while. The other's lease is renewed without it in the next round. */
  async #try(slot: Slot, run: () => Promise<void>): Promise<void> {
    if (this.#closed) return;
    try {
      await run();
    } catch (error) {
      this.#avoid.set(nameOf(slot), this.#deps.clock.monotonicMs() + AVOID_MS);
      this.#drop(slot);
      this.#failed("a gate did not take a registration", error);
    }
  }

  /** Slots that are not about to be replaced. */
  #current(): Slot[] {
    const replaced = new Set(this.#slots.map((slot) => slot.replaces));
    return this.#slots.filter((slot) => slot.session.alive && !replaced.has(slot));
  }

  #placeIn(slot: Slot, epoch: number): void {
    if (slot.places.has(epoch)) return;
    const keys = this.#epochs.get(epoch) ?? deriveEpoch(this.#share, epoch);
    this.#epochs.set(epoch, keys);
    const host: TunnelHost = {
      keys: this.#share.seederKeys,
      psk: keys.tunnelPsk,
      onTunnel: (tunnel) => this.#deps.onTunnel(tunnel),
    };
    slot.places.set(epoch, new GatePlace(slot.session, this.#share, keys, host, this.#deps));
  }

  #leaseGates(epoch: number): LeaseGate[] {
    return this.#current().flatMap((slot) => slot.places.get(epoch)?.leaseGate ?? []);
  }

  #avoided(nowMs: number): Set<string> {
    for (const [name, untilMs] of this.#avoid) if (untilMs <= nowMs) this.#avoid.delete(name);
    return new Set([...this.#avoid.keys(), ...this.#slots.map(nameOf)]);
  }

  #leave(slot: Slot, epoch: number): void {
    slot.places.get(epoch)?.leave();
    slot.places.delete(epoch);
  }

  #drop(slot: Slot): void {
    this.#slots = this.#slots.filter((other) => other !== slot);
    this.#retire(slot);
  }

  #retire(slot: Slot): void {
    for (const epoch of slot.places.keys()) this.#leave(slot, epoch);
    slot.session.leave();
  }

  #failed(
    event: "a circuit to a gate could not be built" | "a gate did not take a registration",
    error: unknown,
  ): void {
    const waitMs = Math.min(BACKOFF_LEAST_MS * 2 ** this.#failures, BACKOFF_MOST_MS);
    this.#deps.log("info", event, { code: codeOf(error), waitMs });
    this.#failures++;
    this.#notBeforeMs = this.#deps.clock.monotonicMs() + waitMs;
  }
}

function nameOf(slot: Slot): string {
  return slot.session.gate.nodeKey.toString("hex");
}
