import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import type { ByteDuplex } from "../base/duplex.ts";
import type { Random } from "../base/random.ts";
import { askTerms } from "./gate-client.ts";
import type { ChosenGate } from "./gate-choice.ts";
import { GatePlace } from "./gate-place.ts";
import type { GateSession, TunnelHost } from "./gate-session.ts";
import type { SeederKeys } from "./lease.ts";
import { rotationMs } from "./rotation.ts";
import { deriveEpoch, epochsAt, type EpochKeys, type ShareTopic } from "./topic.ts";

export interface SeederShare extends ShareTopic {
  /** The lease key is the sharer's key where we are the sharer. */
  readonly seederKeys: SeederKeys;
  /** A downloader came. What it sends waits until the tunnel is started. */
  onTunnel(tunnel: ByteDuplex): void;
}

/** A share of a presence, and its keys by epoch. */
export interface Member {
  readonly share: SeederShare;
  readonly epochs: Map<number, EpochKeys>;
  /** For its next lease, at whichever gate. */
  readonly expirySeconds: () => number;
}

export interface SlotDeps {
  readonly clock: Clock;
  readonly random: Random;
}

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

/** A seeder's circuit to a gate, with what is registered over it. */
export class GateSlot {
  readonly session: GateSession;
  /** Node key in hex. */
  readonly name: string;
  /** From then on another circuit is made; monotonic. */
  readonly circuitUntilMs: number;
  /** From then on another gate is chosen; wall clock. */
  gateUntilMs: number;
  /** The one that goes once this one is registered. */
  replaces: GateSlot | undefined;
  readonly #deps: SlotDeps;
  readonly #sinceMs: number;
  /** By share and epoch. */
  readonly #places = new Map<Member, Map<number, GatePlace>>();
  /** Shares that this gate did not take; monotonic. Those that left since, as turns end, are not kept for it. */
  readonly #refusedUntilMs = new WeakMap<Member, number>();
  /** When it is asked about next; monotonic. */
  #checkAtMs: number;

  constructor(
    session: GateSession,
    { gateUntilMs, replaces }: { readonly gateUntilMs: number; readonly replaces: GateSlot | undefined },
    deps: SlotDeps,
  ) {
    this.session = session;
    this.name = session.gate.nodeKey.toString("hex");
    this.gateUntilMs = gateUntilMs;
    this.replaces = replaces;
    this.#deps = deps;
    this.#sinceMs = deps.clock.monotonicMs();
    this.#checkAtMs = this.#nextCheckMs();
    this.circuitUntilMs = rotationMs(deps.clock, deps.random);
  }

  get alive(): boolean {
    return this.session.alive;
  }

  get chosen(): ChosenGate {
    return { gate: this.session.gate, untilMs: this.gateUntilMs };
  }

  get isYoung(): boolean {
    return this.#deps.clock.monotonicMs() - this.#sinceMs < YOUNG_MS;
  }

  isTaken(member: Member): boolean {
    return this.placesOf(member).some((place) => place.lease !== undefined);
  }

  isRefused(member: Member): boolean {
    return (this.#refusedUntilMs.get(member) ?? -Infinity) > this.#deps.clock.monotonicMs();
  }

  placesOf(member: Member): GatePlace[] {
    return [...(this.#places.get(member)?.values() ?? [])];
  }

  /** Those of which the gate has taken a lease. */
  leased(): GatePlace[] {
    const places = [...this.#places.values()].flatMap((byEpoch) => [...byEpoch.values()]);
    return places.filter(({ lease }) => lease !== undefined);
  }

  placeIn(member: Member, epoch: number): GatePlace | undefined {
    return this.#places.get(member)?.get(epoch);
  }

  /** Has a tag there from now on. */
  add(member: Member, epoch: number): void {
    const places = this.#places.get(member) ?? new Map<number, GatePlace>();
    if (places.has(epoch)) return;
    const { share, expirySeconds } = member;
    const keys = member.epochs.get(epoch) ?? deriveEpoch(share, epoch);
    member.epochs.set(epoch, keys);
    const host: TunnelHost = {
      keys: share.seederKeys,
      psk: keys.tunnelPsk,
      onTunnel: (tunnel) => share.onTunnel(tunnel),
    };
    places.set(epoch, new GatePlace(this.session, share, keys, host, { ...this.#deps, expirySeconds }));
    this.#places.set(member, places);
  }

  /** Withdraws what is over, or was lost. */
  tidy(member: Member, epochs: readonly number[]): void {
    for (const [epoch, place] of this.#places.get(member) ?? [])
      if (!epochs.includes(epoch) || place.lost) this.leave(member, epoch);
  }

  /** Withdraws a share, under one epoch or all. */
  leave(member: Member, epoch?: number): void {
    const places = this.#places.get(member);
    for (const [one, place] of places ?? []) {
      if (epoch !== undefined && one !== epoch) continue;
      place.leave();
      places?.delete(one);
    }
    if (places?.size === 0) this.#places.delete(member);
  }

  /** Where the gate has taken others of ours, it is this share that it does not want, and not us: then true. */
  refuse(member: Member): boolean {
    if (![...this.#places.keys()].some((other) => this.isTaken(other))) return false;
    this.leave(member);
    this.#refusedUntilMs.set(member, this.#deps.clock.monotonicMs() + REFUSED_MS);
    return true;
  }

  /** Whether the circuit still carries, there and back, where that is due. A gate that answers, whatever it says, is there. Raises what `askTerms` raises. */
  async check(): Promise<void> {
    const { clock } = this.#deps;
    if (this.#checkAtMs > clock.monotonicMs()) return;
    this.#checkAtMs = this.#nextCheckMs();
    const [place] = this.leased();
    if (place === undefined) return;
    await askTerms(this.session.circuit, place.tag, clock).catch((error: unknown) => {
      if (!isBackroomError(error, "E_REFUSED")) throw error;
    });
  }

  /** Withdraws everything. Tunnels that are up stay up. */
  retire(): void {
    for (const member of this.#places.keys()) this.leave(member);
    this.session.leave();
  }

  #nextCheckMs(): number {
    const { clock, random } = this.#deps;
    return clock.monotonicMs() + CHECK_LEAST_MS + random.below(CHECK_SPREAD_MS);
  }
}

/** The epochs in force, for which the member has keys; the others' are forgotten. */
export function epochsOf(member: Member, nowMs: number): number[] {
  const epochs = epochsAt(member.share.topicSecret, nowMs);
  for (const old of member.epochs.keys()) if (!epochs.includes(old)) member.epochs.delete(old);
  return epochs;
}
