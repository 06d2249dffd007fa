import type { Clock } from "../base/clock.ts";
import type { ByteDuplex } from "../base/duplex.ts";
import { codeOf, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Circuit, HopTarget } from "../circuit/stream.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";
import { askTerms } from "./gate-client.ts";
import { GatePlace, type OwnLease } from "./gate-place.ts";
import { GateSession, type TunnelHost } from "./gate-session.ts";
import { createLeaseExpiry } from "./lease-expiry.ts";
import type { LeaseGate, SeederKeys } from "./lease.ts";
import { rotationMs } from "./rotation.ts";
import { deriveEpoch, epochsAt, type EpochKeys, type ShareTopic } from "./topic.ts";
import type { TunnelDeps } from "./tunnel-duplex.ts";
import { isNoWayIn } from "./way-in.ts";

export interface PresenceDeps extends TunnelDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /**
   * Builds a standing circuit: to `wanted` if given, else to a gate of the path picker's choice that is none of `avoid` (node keys in
   * hex). Rejects when no circuit can be built: see `isNoWayIn`.
   */
  openGateCircuit(
    wanted: HopTarget | undefined,
    avoid: ReadonlySet<string>,
  ): Promise<{ readonly circuit: Circuit; readonly gate: HopTarget }>;
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
  /** A downloader came. What it sends waits until the tunnel is started. */
  onTunnel(tunnel: ByteDuplex): void;
}

/** One share's part of a presence. */
export interface SeederPlace {
  /** Gates at which the share is registered now: 2 when all is well. */
  readonly gateCount: number;
  /** The newest lease that a gate took: to tell connected peers where we are from now on. */
  readonly lease: OwnLease | undefined;
  /** Withdraws it everywhere. Tunnels that are up stay up. */
  leave(): void;
}

const GATES = 2;
const MAINTAIN_MS = 60_000;
/** A gate is kept about a day: few gates ever see the seeder's second hops, and a lease's gates do not jump about. */
const GATE_LEAST_MS = 20 * 3_600_000;
const GATE_SPREAD_MS = 8 * 3_600_000;
/** Short at first: until a gate is found, nobody finds the share. */
const BACKOFF_LEAST_MS = 2_000;
const BACKOFF_MOST_MS = 15 * 60_000;
/** Between attempts while no guard answers: it costs nobody anything but them, and whoever is online again is to be found again. */
const NO_WAY_IN_MS = 10_000;
/** A gate that refused or broke is not chosen again for this long. */
const AVOID_MS = 30 * 60_000;

/** Shares of a group that are registered side by side: each question is a round trip, and a gate answers a burst of them at once. */
const SIDE_BY_SIDE = 8;
/** A share that a gate refused while it took others is not offered there again for this long: its topic may be crowded. */
const REFUSED_MS = 30 * 60_000;

/**
 * Between two questions over each circuit about a tag of ours. They go out whoever comes or does not: a guard that swallows what comes in would else be noticed
 * with the next renewal, and to count downloads that fall silent would let whoever makes them choose when a seeder changes relays (docs/adr/0032-a-seeder-asks-for-itself.md).
 */
const CHECK_LEAST_MS = 4 * 60_000;
const CHECK_SPREAD_MS = 2 * 60_000;

/** A circuit that dies younger than this was killed, or might as well have been. */
const YOUNG_MS = 2 * 60_000;

/** A share of the presence, and its keys by epoch. */
interface Member {
  readonly share: SeederShare;
  readonly epochs: Map<number, EpochKeys>;
  /** For its next lease, at whichever gate. */
  readonly expirySeconds: () => number;
}

/** A gate and our circuit to it. */
interface Slot {
  readonly session: GateSession;
  /** By share and epoch. */
  readonly places: Map<Member, Map<number, GatePlace>>;
  /** Shares that this gate did not take; monotonic. Those that left since, as turns end, are not kept for it. */
  readonly refusedUntilMs: WeakMap<Member, number>;
  readonly sinceMs: number;
  /** When it is asked about next; monotonic. */
  checkAtMs: number;
  /** From then on another circuit is made; monotonic, like `sinceMs`. */
  readonly circuitUntilMs: number;
  /** From then on another gate is chosen; wall clock. */
  gateUntilMs: number;
  /** The one that goes once this one is registered. */
  replaces: Slot | undefined;
}

/**
 * Keeps shares registered at two gates (DESIGN 6): opens, renews, re-registers at the turn of an epoch, replaces gates that die and
 * circuits before they age. What is new is registered before what is old goes. Nothing a gate does makes it build more than the allowance.
 * Shares of one presence use the same circuits, and a gate can tell that they are one member's: one share each is the rule.
 */
export class SeederPresence {
  readonly #deps: PresenceDeps;
  readonly #rebuilds: TokenBucket;
  readonly #avoid = new Map<string, number>();
  readonly #members = new Set<Member>();
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

  /** Does nothing before a share is added. */
  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    this.#rebuilds = new TokenBucket(deps.clock, LIMITS.rebuildBurst, 1000 / LIMITS.rebuildEveryMs);
    const lastMs = deps.clock.nowMs() + GATE_LEAST_MS + GATE_SPREAD_MS;
    // One that would be kept for longer than any was noted while the clock was wrong.
    const saved = (deps.gates?.saved ?? []).map(({ gate, untilMs }) => ({
      gate,
      untilMs: Math.min(untilMs, lastMs),
    }));
    this.#broken = saved.slice(0, GATES);
  }

  add(share: SeederShare): SeederPlace {
    const member: Member = { share, epochs: new Map(), expirySeconds: createLeaseExpiry(this.#deps.clock) };
    this.#members.add(member);
    this.#wake();
    const gateCount = (): number => this.#gateCountOf(member);
    const lease = (): OwnLease | undefined => this.#leaseOf(member);
    return {
      get gateCount() {
        return gateCount();
      },
      get lease() {
        return lease();
      },
      leave: () => {
        this.#members.delete(member);
        for (const slot of this.#slots) this.#leave(slot, member);
      },
    };
  }

  /** Withdraws everywhere. Tunnels that are up stay up, and their circuits with them. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    for (const slot of this.#slots) this.#retire(slot);
    this.#slots = [];
  }

  #gateCountOf(member: Member): number {
    return this.#slots.filter((slot) => slot.session.alive && isTaken(slot, member)).length;
  }

  #leaseOf(member: Member): OwnLease | undefined {
    const places = this.#current().flatMap((slot) => [...(slot.places.get(member)?.values() ?? [])]);
    const leases = places.flatMap((place) => place.lease ?? []);
    return leases.toSorted((a, b) => b.expirySeconds - a.expirySeconds)[0];
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
    await this.#check();
    for (const slot of this.#slots) {
      if (slot.replaces !== undefined) this.#drop(slot.replaces);
      slot.replaces = undefined;
    }
    this.#remember();
    const gateCount = Math.max(0, ...[...this.#members].map((member) => this.#gateCountOf(member)));
    if (gateCount === this.#toldCount) return;
    this.#toldCount = gateCount;
    this.#deps.log("info", "the share is registered at gates", { gateCount, shareCount: this.#members.size });
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
    if (this.#members.size === 0) return false;
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
      if (isNoWayIn(error)) {
        this.#rebuilds.giveBack();
        if (due === undefined && chosen !== undefined) this.#broken.unshift(chosen);
        this.#failed("a circuit to a gate could not be built", error, NO_WAY_IN_MS);
        return false;
      }
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
      refusedUntilMs: new WeakMap(),
      sinceMs: nowMs,
      checkAtMs: nowMs + CHECK_LEAST_MS + random.below(CHECK_SPREAD_MS),
      circuitUntilMs: rotationMs(clock, random),
      gateUntilMs: gateUntilMs ?? clock.nowMs() + GATE_LEAST_MS + random.below(GATE_SPREAD_MS),
      replaces,
    });
  }

  /** Under every epoch in force, at every gate; the newest first, so that no lease names a gate that does not know its tag yet. */
  async #register(): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    const members = [...this.#members].map((member) => {
      const epochs = epochsAt(member.share.topicSecret, nowMs);
      for (const old of member.epochs.keys()) if (!epochs.includes(old)) member.epochs.delete(old);
      return { member, epochs };
    });
    for (const slot of this.#slots) {
      for (const { member, epochs } of members) {
        for (const [epoch, place] of slot.places.get(member) ?? [])
          if (!epochs.includes(epoch) || place.lost) this.#leave(slot, member, epoch);
      }
    }
    // All tags first, for every lease names them all.
    for (const slot of this.#current()) {
      await this.#try(slot, async () => {
        for (const { member, epochs } of members) {
          if (this.#isRefused(slot, member)) continue;
          for (const epoch of epochs) this.#placeIn(slot, member, epoch);
        }
      });
    }
    for (const slot of this.#current().toReversed()) {
      await this.#try(slot, async () => {
        for (let at = 0; at < members.length; at += SIDE_BY_SIDE) {
          const some = members.slice(at, at + SIDE_BY_SIDE);
          await Promise.all(some.map(({ member, epochs }) => this.#ensure(slot, member, epochs)));
        }
        this.#failures = 0;
      });
    }
  }

  /** Whether each circuit still carries, there and back. A gate that answers, whatever it says, is there. */
  async #check(): Promise<void> {
    const { clock, random } = this.#deps;
    const due = this.#current().filter(({ checkAtMs }) => checkAtMs <= clock.monotonicMs());
    await Promise.all(
      due.map(async (slot) => {
        const places = [...slot.places.values()].flatMap((byEpoch) => [...byEpoch.values()]);
        const tag = places.find(({ lease }) => lease !== undefined)?.tag;
        slot.checkAtMs = clock.monotonicMs() + CHECK_LEAST_MS + random.below(CHECK_SPREAD_MS);
        if (tag === undefined) return;
        await this.#try(slot, async () => {
          await askTerms(slot.session.circuit, tag, clock).catch((error: unknown) => {
            if (!isBackroomError(error, "E_REFUSED")) throw error;
          });
        });
      }),
    );
  }

  /** A share that is refused alone is left out at that gate; a gate that takes none of them is no gate for us. */
  async #ensure(slot: Slot, member: Member, epochs: readonly number[]): Promise<void> {
    if (this.#isRefused(slot, member)) return;
    try {
      for (const epoch of epochs) {
        await slot.places.get(member)?.get(epoch)?.ensure(this.#leaseGates(member, epoch));
      }
    } catch (error) {
      // Its turn may have ended meanwhile.
      if (!this.#members.has(member) && slot.session.alive) return;
      const isOthersTaken = [...slot.places.keys()].some((other) => isTaken(slot, other));
      if (!isBackroomError(error, "E_REFUSED") || !isOthersTaken) throw error;
      this.#leave(slot, member);
      slot.refusedUntilMs.set(member, this.#deps.clock.monotonicMs() + REFUSED_MS);
    }
  }

  #isRefused(slot: Slot, member: Member): boolean {
    return (slot.refusedUntilMs.get(member) ?? -Infinity) > this.#deps.clock.monotonicMs();
  }

  /** A gate that fails, or that a circuit does not lead to any more, is left, and not chosen again for a while. The other's lease is renewed without it in the next round. */
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

  #placeIn(slot: Slot, member: Member, epoch: number): void {
    const places = slot.places.get(member) ?? new Map<number, GatePlace>();
    if (places.has(epoch) || !this.#members.has(member)) return;
    const { share, expirySeconds } = member;
    const deps = { ...this.#deps, expirySeconds };
    const keys = member.epochs.get(epoch) ?? deriveEpoch(share, epoch);
    member.epochs.set(epoch, keys);
    const host: TunnelHost = {
      keys: share.seederKeys,
      psk: keys.tunnelPsk,
      onTunnel: (tunnel) => share.onTunnel(tunnel),
    };
    places.set(epoch, new GatePlace(slot.session, share, keys, host, deps));
    slot.places.set(member, places);
  }

  #leaseGates(member: Member, epoch: number): LeaseGate[] {
    return this.#current().flatMap((slot) => slot.places.get(member)?.get(epoch)?.leaseGate ?? []);
  }

  #avoided(nowMs: number): Set<string> {
    for (const [name, untilMs] of this.#avoid) if (untilMs <= nowMs) this.#avoid.delete(name);
    return new Set([...this.#avoid.keys(), ...this.#slots.map(nameOf)]);
  }

  /** Withdraws a share at a gate, under one epoch or all. */
  #leave(slot: Slot, member: Member, epoch?: number): void {
    const places = slot.places.get(member);
    for (const [one, place] of places ?? []) {
      if (epoch !== undefined && one !== epoch) continue;
      place.leave();
      places?.delete(one);
    }
    if (places?.size === 0) slot.places.delete(member);
  }

  #drop(slot: Slot): void {
    this.#slots = this.#slots.filter((other) => other !== slot);
    this.#retire(slot);
  }

  #retire(slot: Slot): void {
    for (const member of slot.places.keys()) this.#leave(slot, member);
    slot.session.leave();
  }

  #nextBackoffMs(): number {
    return Math.min(BACKOFF_LEAST_MS * 2 ** this.#failures++, BACKOFF_MOST_MS);
  }

  #failed(
    event: "a circuit to a gate could not be built" | "a gate did not take a registration",
    error: unknown,
    waitMs = this.#nextBackoffMs(),
  ): void {
    this.#deps.log("info", event, { code: codeOf(error), waitMs });
    this.#notBeforeMs = this.#deps.clock.monotonicMs() + waitMs;
  }
}

function isTaken(slot: Slot, member: Member): boolean {
  return [...(slot.places.get(member)?.values() ?? [])].some((place) => place.lease !== undefined);
}

function nameOf(slot: Slot): string {
  return slot.session.gate.nodeKey.toString("hex");
}
