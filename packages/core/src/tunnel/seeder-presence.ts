import type { Clock } from "../base/clock.ts";
import { codeOf, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Circuit, HopTarget } from "../circuit/stream.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";
import { GateChoice, GATES, type ChosenGate, type GateChoiceDeps } from "./gate-choice.ts";
import type { OwnLease } from "./gate-place.ts";
import { GateSession } from "./gate-session.ts";
import { epochsOf, GateSlot, type Member, type SeederShare } from "./gate-slot.ts";
import { createLeaseExpiry } from "./lease-expiry.ts";
import type { LeaseGate } from "./lease.ts";
import { OwnLookUps, type OwnLookUpsDeps } from "./own-lookups.ts";
import type { TunnelDeps } from "./tunnel-duplex.ts";
import { isNoWayIn } from "./way-in.ts";

export interface PresenceDeps extends TunnelDeps, GateChoiceDeps, OwnLookUpsDeps {
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Builds a standing circuit: to `wanted` if given, else to a gate of the path picker's choice that is none of `avoid` (node keys in
   * hex). Rejects when no circuit can be built: see `isNoWayIn`.
   */
  openGateCircuit(
    wanted: HopTarget | undefined,
    avoid: ReadonlySet<string>,
  ): Promise<{ readonly circuit: Circuit; readonly gate: HopTarget }>;
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

const MAINTAIN_MS = 60_000;
/** Short at first: until a gate is found, nobody finds the share. */
const BACKOFF_LEAST_MS = 500;
const BACKOFF_MOST_MS = 15 * 60_000;
/** Between attempts while no guard answers: it costs nobody anything but them, and whoever is online again is to be found again. */
const NO_WAY_IN_MS = 10_000;
/** Between looks whether another circuit may be built, where the allowance is used up: as in a network that has one gate. */
const SPENT_MS = 5_000;
/** A gate that we go back to and that is not reached by then may be gone: another one is gone to beside it, and the first that is there is kept. */
const GATE_PATIENCE_MS = 3_000;
/** Shares of a group that are registered side by side: each question is a round trip, and a gate answers a burst of them at once. */
const SIDE_BY_SIDE = 8;

/** A circuit that is being built. */
interface Opening {
  /** Undefined where the path picker chooses. */
  readonly wanted: ChosenGate | undefined;
  readonly replaces: GateSlot | undefined;
  isSlow: boolean;
}

/**
 * Keeps shares registered at two gates (DESIGN 6): opens, renews, re-registers at the turn of an epoch, replaces gates that die and
 * circuits before they age. What is new is registered before what is old goes. Nothing a gate does makes it build more than the allowance.
 * Shares of one presence use the same circuits, and a gate can tell that they are one member's: one share each is the rule.
 */
export class SeederPresence {
  readonly #deps: PresenceDeps;
  readonly #rebuilds: TokenBucket;
  readonly #choice: GateChoice;
  readonly #members = new Set<Member>();
  readonly #openings = new Set<Opening>();
  readonly #lookUps: OwnLookUps;
  #slots: GateSlot[] = [];
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
    this.#choice = new GateChoice(deps);
    this.#lookUps = new OwnLookUps(deps, (slot) => this.#onHidden(slot));
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
        for (const slot of this.#slots) slot.leave(member);
      },
    };
  }

  /** Withdraws everywhere. Tunnels that are up stay up, and their circuits with them. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    this.#lookUps.close();
    for (const slot of this.#slots) slot.retire();
    this.#slots = [];
  }

  #gateCountOf(member: Member): number {
    return this.#slots.filter((slot) => slot.alive && slot.isTaken(member)).length;
  }

  #leaseOf(member: Member): OwnLease | undefined {
    const leases = this.#current().flatMap((slot) =>
      slot.placesOf(member).flatMap((place) => place.lease ?? []),
    );
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
    if (!this.#lacksGates()) return MAINTAIN_MS;
    return this.#rebuilds.ready ? BACKOFF_LEAST_MS : SPENT_MS;
  }

  /** Also with those that are on their way. */
  #lacksGates(): boolean {
    const coming = [...this.#openings].filter(({ replaces, isSlow }) => !this.#isHeld(replaces) && !isSlow);
    return this.#current().length + coming.length < GATES;
  }

  async #maintain(): Promise<void> {
    this.#open();
    const before = [...this.#slots];
    await this.#register();
    await Promise.all(this.#current().map((slot) => this.#try(slot, () => slot.check())));
    // One that came meanwhile is registered next.
    for (const slot of before) {
      if (slot.replaces !== undefined && slot.alive) this.#drop(slot.replaces);
      slot.replaces = undefined;
    }
    this.#remember();
    const gateCount = Math.max(0, ...[...this.#members].map((member) => this.#gateCountOf(member)));
    if (gateCount === this.#toldCount) return;
    this.#toldCount = gateCount;
    this.#deps.log("info", "the share is registered at gates", { gateCount, shareCount: this.#members.size });
  }

  /** Those that are gone back to are ours, too: the run may end before they are there. */
  #remember(): void {
    if (this.#closed) return;
    // Some may have broken since.
    this.#noteBroken();
    const coming = [...this.#openings].flatMap(({ wanted, replaces }) =>
      this.#isHeld(replaces) ? [] : (wanted ?? []),
    );
    this.#choice.remember([...this.#current().map(({ chosen }) => chosen), ...coming]);
  }

  /** Whether it is there to be replaced. One that broke meanwhile is not: what was to take its place fills the gap. */
  #isHeld(slot: GateSlot | undefined): boolean {
    return slot !== undefined && this.#slots.includes(slot);
  }

  /** Begins to open what is missing or due. What is registered does not wait for it: it comes when it is there. */
  #open(): void {
    const { clock } = this.#deps;
    if (this.#closed || this.#members.size === 0) return;
    this.#noteBroken();
    while (clock.monotonicMs() >= this.#notBeforeMs) {
      const current = this.#current();
      const underWay = [...this.#openings];
      const due = current.find(
        (slot) =>
          slot.circuitUntilMs <= clock.monotonicMs() && !underWay.some(({ replaces }) => replaces === slot),
      );
      if (due === undefined && !this.#lacksGates()) return;
      // Two that are chosen freely could both come to the same gate.
      const isFreeUnderWay = underWay.some((one) => one.wanted === undefined);
      const chosen = due === undefined ? this.#choice.takeBroken() : due.chosen;
      const wanted = chosen !== undefined && chosen.untilMs > clock.nowMs() ? chosen : undefined;
      if (wanted === undefined && isFreeUnderWay) return;
      if (!this.#rebuilds.take()) {
        if (due === undefined && wanted !== undefined) this.#choice.giveBack(wanted);
        return;
      }
      void this.#openOne(wanted, due);
    }
  }

  async #openOne(wanted: ChosenGate | undefined, replaces: GateSlot | undefined): Promise<void> {
    const { clock } = this.#deps;
    const opening: Opening = { wanted, replaces, isSlow: false };
    const avoid = wanted === undefined ? this.#avoided() : new Set<string>();
    this.#openings.add(opening);
    const cancel = clock.after(GATE_PATIENCE_MS, () => {
      opening.isSlow = wanted !== undefined;
      if (opening.isSlow) this.#wake();
    });
    try {
      const opened = await this.#deps.openGateCircuit(wanted?.gate, avoid);
      this.#add(opened, replaces, wanted?.untilMs);
    } catch (error) {
      this.#openFailed(error, wanted, replaces);
    } finally {
      cancel();
      this.#openings.delete(opening);
      this.#wake();
    }
  }

  #openFailed(error: unknown, wanted: ChosenGate | undefined, replaces: GateSlot | undefined): void {
    if (isNoWayIn(error)) {
      this.#rebuilds.giveBack();
      if (wanted !== undefined && !this.#isHeld(replaces)) this.#choice.giveBack(wanted);
      return this.#failed("a circuit to a gate could not be built", error, NO_WAY_IN_MS);
    }
    // Perhaps the gate is gone: the next attempt goes to another one. In a small network there may be none but those avoided.
    if (replaces !== undefined) replaces.gateUntilMs = this.#deps.clock.nowMs();
    if (wanted === undefined) this.#choice.forgive(isBackroomError(error, "E_NETWORK_TOO_SMALL"));
    this.#failed("a circuit to a gate could not be built", error);
  }

  #noteBroken(): void {
    const replaced = new Set([...this.#slots, ...this.#openings].map(({ replaces }) => replaces));
    for (const slot of this.#slots) {
      if (slot.alive || replaced.has(slot)) continue;
      if (slot.isYoung) this.#choice.avoid(slot.name);
      else this.#choice.noteBroken(slot.chosen);
    }
    this.#slots = this.#slots.filter((slot) => slot.alive);
  }

  #add(
    { circuit, gate }: { readonly circuit: Circuit; readonly gate: HopTarget },
    replaces: GateSlot | undefined,
    untilMs: number | undefined,
  ): void {
    this.#deps.log("debug", "a circuit to a gate is there", { isInPlaceOfAnother: replaces !== undefined });
    const session = new GateSession(circuit, gate, this.#deps, () => this.#wake());
    const replaced = this.#isHeld(replaces) ? replaces : undefined;
    // Another one was quicker than one that was slow.
    const isTooMany = replaced === undefined && this.#current().length >= GATES;
    // It may have turned out meanwhile that this very gate hides leases.
    const isHiding = this.#choice.hides(gate.nodeKey.toString("hex"));
    if (this.#closed || isTooMany || isHiding) return session.leave();
    const gateUntilMs = untilMs ?? this.#choice.newUntilMs();
    const slot = new GateSlot(session, { gateUntilMs, replaces: replaced }, this.#deps);
    this.#slots.push(slot);
    this.#lookUps.watch(slot);
  }

  /** It took the lease and hands it out to nobody: another gate takes its place. */
  #onHidden(slot: GateSlot): void {
    if (this.#closed || !this.#slots.includes(slot)) return;
    this.#deps.log("info", "a gate hides the share: another one is taken");
    this.#choice.noteHidden(slot.name);
    this.#drop(slot);
    this.#wake();
  }

  /** Under every epoch in force, at every gate; the newest first, so that no lease names a gate that does not know its tag yet. */
  async #register(): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    const members = [...this.#members].map((member) => ({ member, epochs: epochsOf(member, nowMs) }));
    for (const slot of this.#slots) for (const { member, epochs } of members) slot.tidy(member, epochs);
    // All tags first, for every lease names them all.
    for (const slot of this.#current()) {
      await this.#try(slot, async () => {
        for (const { member, epochs } of members) {
          if (slot.isRefused(member) || !this.#members.has(member)) continue;
          for (const epoch of epochs) slot.add(member, epoch);
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

  /** A share that is refused alone is left out at that gate; a gate that takes none of them is no gate for us. */
  async #ensure(slot: GateSlot, member: Member, epochs: readonly number[]): Promise<void> {
    if (slot.isRefused(member)) return;
    try {
      for (const epoch of epochs) {
        await slot.placeIn(member, epoch)?.ensure(this.#leaseGates(member, epoch));
      }
    } catch (error) {
      // Its turn may have ended meanwhile.
      if (!this.#members.has(member) && slot.alive) return;
      if (!isBackroomError(error, "E_REFUSED") || !slot.refuse(member)) throw error;
    }
  }

  /** A gate that fails, or that a circuit does not lead to any more, is left, and not chosen again for a while. The other's lease is renewed without it in the next round. */
  async #try(slot: GateSlot, run: () => Promise<void>): Promise<void> {
    if (this.#closed) return;
    try {
      await run();
    } catch (error) {
      this.#choice.avoid(slot.name);
      this.#drop(slot);
      this.#failed("a gate did not take a registration", error);
    }
  }

  /** Slots that are not about to be replaced. */
  #current(): GateSlot[] {
    const replaced = new Set(this.#slots.map((slot) => slot.replaces));
    return this.#slots.filter((slot) => slot.alive && !replaced.has(slot));
  }

  #leaseGates(member: Member, epoch: number): LeaseGate[] {
    return this.#current().flatMap((slot) => slot.placeIn(member, epoch)?.leaseGate ?? []);
  }

  /** Also those that are gone to right now. */
  #avoided(): Set<string> {
    const underWay = [...this.#openings].flatMap(({ wanted }) => wanted?.gate.nodeKey.toString("hex") ?? []);
    return new Set([...this.#choice.avoided(), ...underWay, ...this.#slots.map(({ name }) => name)]);
  }

  #drop(slot: GateSlot): void {
    this.#slots = this.#slots.filter((other) => other !== slot);
    slot.retire();
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
