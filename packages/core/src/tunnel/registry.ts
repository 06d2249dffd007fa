import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { shuffled, type Random } from "../base/random.ts";
import type { ServedCircuit } from "../circuit/stream.ts";
import { createAllowance, createAllowances } from "../directory/allowance.ts";
import type { DenyList } from "./deny-list.ts";
import { checkRegistration, decodeRegistration, type Registration } from "./registration.ts";
import { topicHashOf } from "./topic.ts";

/** The part of the DHT that a gate needs. Both calls return at once and repeat what is needed by themselves. */
export interface Announcer {
  announce(topicHash: Buffer): void;
  withdraw(topicHash: Buffer): void;
}

export interface RegistryDeps {
  /** The gate's own node key, which registrations are signed for. */
  readonly nodeKey: Buffer;
  readonly clock: Clock;
  readonly random: Random;
  readonly announcer: Announcer;
  /** What the gate's operator does not want to serve. */
  readonly denied?: Pick<DenyList, "deniesTopic">;
}

/** One seeder's place at this gate. Kept as long as its stream is, and its lease is renewed. */
export interface Place {
  readonly circuit: ServedCircuit;
  readonly topic: Buffer;
  readonly tag: string;
  readonly isSharer: boolean;
  sealedLease: Buffer;
  expiresMs: number;
  /** Called when the place went to somebody else. */
  onEvicted: (() => void) | undefined;
}

const SWEEP_MS = 60_000;
/** A circuit that fills a topic's quota with one seeder's leases is no seeder. */
const PLACES_OF_TOPIC_PER_CIRCUIT = 1;

/**
 * What a gate holds: places by topic and by tag, within the quotas of PROTOCOL 8. Pure bookkeeping: no stream is touched here.
 * Anybody can make up topics and be the sharer of each, so a gate that is full takes from the circuit that holds most: to keep others out
 * one would have to fill as many circuits as the relay has.
 * Refusals are E_LEASE (the registration is bad) or E_GATE (there is no room).
 */
export class Registry {
  readonly #deps: RegistryDeps;
  readonly #byTag = new Map<string, Place>();
  readonly #byTopic = new Map<string, Set<Place>>();
  readonly #perCircuit = new Map<ServedCircuit, Set<Place>>();
  readonly #ofCircuit;
  readonly #ofAll;
  #cancelSweep: (() => void) | undefined;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
    const [perSecond, allPerSecond] = [LIMITS.gateQuestionsPerSecond, LIMITS.gateAllQuestionsPerSecond];
    const rate = { burst: LIMITS.gateQuestionBurst, perSecond };
    this.#ofCircuit = createAllowances(rate, LIMITS.allowanceCircuits, deps.clock);
    this.#ofAll = createAllowance(
      { burst: LIMITS.gateAllQuestionBurst, perSecond: allPerSecond },
      deps.clock,
    );
  }

  get size(): number {
    return this.#byTag.size;
  }

  /** Takes or renews a place; `held` is the one that the same stream already has. Its expiry may be earlier than what was asked for. */
  register(question: Uint8Array, circuit: ServedCircuit, held: Place | undefined): Place {
    // The circuit's own first: what it asks in vain is not counted against all.
    if (!this.#ofCircuit(circuit.id).take() || !this.#ofAll.take()) throw full();
    const registration = decodeRegistration(question);
    const expiresMs = this.#expiryOf(registration);
    if (held === undefined) this.#checkTotals(circuit, registration.tag);
    const topic = checkRegistration(registration, this.#deps.nodeKey);
    // Said as want of room: a list of what is denied is not for everybody who asks.
    if (this.#deps.denied?.deniesTopic(topic, this.#deps.clock.nowMs()) === true) throw full();
    const isSharer = registration.standing.kind === "sharer";
    const tag = registration.tag.toString("latin1");
    // A copy: the question is a slice of something larger.
    const sealedLease = Buffer.from(registration.sealedLease);
    if (held !== undefined) {
      const same = held.tag === tag && held.topic.equals(topic) && held.isSharer === isSharer;
      if (!same) throw new BackroomError("E_LEASE", "a renewal is for another registration");
      return this.#renew(held, sealedLease, expiresMs);
    }
    this.#checkTopic(topic, circuit, isSharer);
    // Not before the signatures are checked: whoever has none takes nobody's place.
    this.#makeRoom(circuit, topic);
    return this.#add({ circuit, topic, tag, isSharer, sealedLease, expiresMs, onEvicted: undefined });
  }

  /** Gives the place up; at most once counts. */
  withdraw(place: Place): void {
    if (this.#byTag.get(place.tag) !== place) return;
    this.#byTag.delete(place.tag);
    const ofCircuit = this.#perCircuit.get(place.circuit);
    ofCircuit?.delete(place);
    if (ofCircuit?.size === 0) this.#perCircuit.delete(place.circuit);
    const name = place.topic.toString("latin1");
    const places = this.#byTopic.get(name);
    places?.delete(place);
    if (places?.size !== 0) return;
    this.#byTopic.delete(name);
    this.#deps.announcer.withdraw(topicHashOf(place.topic));
  }

  /** Sealed leases of a topic that are not over: the sharer's first, the others drawn at random. */
  leasesOf(topic: Buffer): Buffer[] {
    const places = this.#living(topic);
    const sharers = places.filter((place) => place.isSharer);
    const others = places.filter((place) => !place.isSharer);
    const chosen = [...sharers, ...shuffled(others, this.#deps.random)];
    return chosen.slice(0, LIMITS.gateLeasesAnswered).map((place) => place.sealedLease);
  }

  /** All of a topic that are not over. */
  placesOf(topic: Buffer): Place[] {
    return this.#living(topic);
  }

  placeOf(tag: Buffer): Place | undefined {
    const place = this.#byTag.get(tag.toString("latin1"));
    return place !== undefined && this.#lives(place) ? place : undefined;
  }

  close(): void {
    this.#cancelSweep?.();
    for (const place of this.#byTag.values()) this.withdraw(place);
  }

  #expiryOf(registration: Registration): number {
    const nowMs = this.#deps.clock.nowMs();
    const askedMs = registration.expirySeconds * 1000;
    if (askedMs <= nowMs) throw new BackroomError("E_LEASE", "a registration is over already");
    return Math.min(askedMs, nowMs + LIMITS.leaseLifetimeMs);
  }

  /** Before any signature is checked: whoever is over a quota costs no more than a look. */
  #checkTotals(circuit: ServedCircuit, tag: Buffer): void {
    const ofCircuit = this.#perCircuit.get(circuit)?.size ?? 0;
    if (ofCircuit >= LIMITS.gateRegistrationsPerCircuit) throw full();
    if (this.#byTag.has(tag.toString("latin1"))) throw full();
  }

  #checkTopic(topic: Buffer, circuit: ServedCircuit, isSharer: boolean): void {
    const places = this.#living(topic);
    const alike = places.filter((place) => place.isSharer === isSharer).length;
    if (alike >= (isSharer ? LIMITS.gateSharerLeases : LIMITS.gateOtherLeases)) throw full();
    const own = places.filter((place) => place.circuit === circuit).length;
    if (own >= PLACES_OF_TOPIC_PER_CIRCUIT) throw full();
  }

  /** Takes the latest place of the circuit that has most, while that one has more than `circuit` will have. */
  #makeRoom(circuit: ServedCircuit, topic: Buffer): void {
    const isNew = !this.#byTopic.has(topic.toString("latin1"));
    const own = this.#perCircuit.get(circuit)?.size ?? 0;
    const topics = isNew ? LIMITS.gateTopics : Infinity;
    while (this.#byTag.size >= LIMITS.gateRegistrations || this.#byTopic.size >= topics) {
      const fullest = [...this.#perCircuit.values()].reduce((a, b) => (b.size > a.size ? b : a));
      const victim = [...fullest].at(-1);
      if (victim === undefined || fullest.size <= own + 1) throw full();
      this.withdraw(victim);
      victim.onEvicted?.();
    }
  }

  #add(place: Place): Place {
    const name = place.topic.toString("latin1");
    const places = this.#byTopic.get(name);
    if (places === undefined) {
      this.#byTopic.set(name, new Set([place]));
      this.#deps.announcer.announce(topicHashOf(place.topic));
    } else {
      places.add(place);
    }
    this.#byTag.set(place.tag, place);
    const ofCircuit = this.#perCircuit.get(place.circuit) ?? new Set();
    this.#perCircuit.set(place.circuit, ofCircuit.add(place));
    this.#sweepLater();
    return place;
  }

  #renew(place: Place, sealedLease: Buffer, expiresMs: number): Place {
    // A sweep may have taken it since: then its stream has to begin anew.
    if (this.#byTag.get(place.tag) !== place) throw new BackroomError("E_LEASE", "a registration was over");
    place.sealedLease = sealedLease;
    place.expiresMs = expiresMs;
    return place;
  }

  #living(topic: Buffer): Place[] {
    const places = this.#byTopic.get(topic.toString("latin1")) ?? [];
    return [...places].filter((place) => this.#lives(place));
  }

  #lives(place: Place): boolean {
    return place.circuit.alive && place.expiresMs > this.#deps.clock.nowMs();
  }

  #sweepLater(): void {
    this.#cancelSweep ??= this.#deps.clock.after(SWEEP_MS, () => {
      this.#cancelSweep = undefined;
      for (const place of this.#byTag.values()) if (!this.#lives(place)) this.withdraw(place);
      if (this.#byTag.size > 0) this.#sweepLater();
    });
  }
}

function full(): BackroomError {
  return new BackroomError("E_GATE", "the gate has no room for another registration");
}
