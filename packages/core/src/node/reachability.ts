import type { Endpoint } from "../net/channel.ts";

/** IPv4 or IPv6: a computer may be reachable by one and not by the other. */
export type Family = 4 | 6;

/** A relay that may be asked to dial back. */
export interface AskableRelay {
  readonly key: string;
  /** `sourceOf`: relays that may be one operator's have the same, and count once. */
  readonly source: string;
  readonly families: readonly Family[];
}

export type ReachabilityEvent =
  /** A round begins: after `wait`, and the first time. Relays in the order in which they are to be asked. */
  | { readonly kind: "due"; readonly relays: readonly AskableRelay[]; readonly families: readonly Family[] }
  | { readonly kind: "answer"; readonly ask: number; readonly seen: Endpoint; readonly reached: boolean }
  | { readonly kind: "silence"; readonly ask: number }
  /** What came of that `map`: the port at the router's public address, or undefined where there is none. */
  | { readonly kind: "mapped"; readonly map: number; readonly port: number | undefined }
  /** After `hurry`: whoever gets through at all mostly has by now. */
  | { readonly kind: "slow" }
  /** This computer's own addresses are others than before. */
  | { readonly kind: "moved" };

export type ReachabilityAction =
  /** Ask that relay by that family to dial back at that port. Answered by `answer` or `silence`. */
  | {
      readonly kind: "ask";
      readonly ask: number;
      readonly key: string;
      readonly family: Family;
      readonly port: number;
    }
  /** Have the router hand on a port. Answered by `mapped`. */
  | { readonly kind: "map"; readonly map: number }
  /** `slow` is wanted after this long. */
  | { readonly kind: "hurry"; readonly ms: number }
  /** Where this computer can be reached: nowhere when empty. Given the first time and whenever it changes. */
  | { readonly kind: "verdict"; readonly endpoints: readonly Endpoint[] }
  /** `due` is wanted after this long, and no earlier. */
  | { readonly kind: "wait"; readonly ms: number };

/** Independent relays that have to reach an address before it counts: one could say so of an address that is somebody else's. */
export const CONFIRMATIONS = 2;
/** Relays asked in a round by one family: two liars among them do not decide, and no more learn this computer's address. */
export const MOST_ASKED = 6;
/**
 * An open port is known within that time; a router that drops what comes makes relays wait for much longer. It is asked meanwhile, and not sooner, since most
 * computers that have an open port need nothing of it.
 */
const HURRY_MS = 2_000;
const AGAIN_REACHABLE_MS = 30 * 60_000;
const AGAIN_UNREACHABLE_MS = 10 * 60_000;
/** After a round that took something away, or in which nobody answered: a line that was down for a moment must not cost a relay its place. */
const AGAIN_SOON_MS = 60_000;
/** After a change of addresses, which mostly come several at once. */
const SETTLE_MS = 5_000;

/** The questions of one round by one family. */
interface Poll {
  readonly family: Family;
  readonly port: number;
  readonly queue: AskableRelay[];
  readonly pending: Map<number, string>;
  /** Sources that have answered. */
  readonly heard: Set<string>;
  readonly silent: Set<string>;
  /** By address: who reached it. */
  readonly votes: Map<string, { readonly endpoint: Endpoint; readonly sources: Set<string> }>;
  asked: number;
}

/**
 * Whether this computer can be a relay that others dial (PROTOCOL 7.10). Pure: events in, actions out. It believes nobody alone: what counts is that
 * relays of different networks reached the same address, each over a connection that it opened itself to the port where this computer listens,
 * and from which nothing ever went out: so no hole that another connection left in the router can be taken for an open door.
 */
export class Reachability {
  readonly #listenPort: number;
  #polls: Poll[] = [];
  #askCount = 0;
  #relays: readonly AskableRelay[] = [];
  /** What the router hands on to us, as far as it is known. */
  #mappedPort: number | undefined;
  #mapping: "untried" | "asked" | "tried" = "untried";
  #mapCount = 0;
  #running = false;
  #verdict: readonly Endpoint[] | undefined;
  /** The round before took something away. */
  #doubted = false;

  constructor(listenPort: number) {
    this.#listenPort = listenPort;
  }

  take(event: ReachabilityEvent): ReachabilityAction[] {
    switch (event.kind) {
      case "due":
        return this.#running ? [] : this.#begin(event.relays, event.families);
      case "moved":
        this.#running = false;
        this.#polls = [];
        this.#mappedPort = undefined;
        // What was found out was found out of another place.
        this.#doubted = true;
        return [{ kind: "wait", ms: SETTLE_MS }];
      case "slow":
        return this.#running ? this.#goOn(true) : [];
      case "mapped":
        // One that was asked for at another place, before this computer moved, may come now: it is not where we are.
        return this.#mapping === "asked" && this.#running && event.map === this.#mapCount
          ? this.#mapped(event.port)
          : [];
      default:
        return this.#heard(event);
    }
  }

  #begin(relays: readonly AskableRelay[], families: readonly Family[]): ReachabilityAction[] {
    this.#running = true;
    this.#relays = relays;
    this.#mapping = families.includes(4) ? "untried" : "tried";
    this.#polls = families.map((family) =>
      this.#poll(family, family === 4 ? (this.#mappedPort ?? this.#listenPort) : this.#listenPort),
    );
    const asks = this.#goOn();
    return this.#mayHurry() ? [...asks, { kind: "hurry", ms: HURRY_MS }] : asks;
  }

  /** Nothing is known of an open port: the router may be asked while relays still try. */
  #mayHurry(): boolean {
    const isKnown = this.#verdict?.some(({ host }) => !host.includes(":")) === true;
    return this.#running && this.#mapping === "untried" && this.#mappedPort === undefined && !isKnown;
  }

  #poll(family: Family, port: number): Poll {
    const queue = this.#relays.filter(({ families }) => families.includes(family));
    const [heard, silent] = [new Set<string>(), new Set<string>()];
    return { family, port, queue, pending: new Map(), heard, silent, votes: new Map(), asked: 0 };
  }

  #heard(event: Extract<ReachabilityEvent, { kind: "answer" | "silence" }>): ReachabilityAction[] {
    const poll = this.#polls.find(({ pending }) => pending.has(event.ask));
    const source = poll?.pending.get(event.ask);
    // Of a round that is over, or asked twice.
    if (poll === undefined || source === undefined) return [];
    poll.pending.delete(event.ask);
    poll[event.kind === "answer" ? "heard" : "silent"].add(source);
    if (event.kind === "answer" && event.reached) vote(poll, event.seen, source);
    return this.#goOn(poll.family === 4 && event.kind === "answer" && !event.reached);
  }

  #mapped(port: number | undefined): ReachabilityAction[] {
    this.#mapping = "tried";
    this.#mappedPort = port;
    if (port !== undefined) {
      this.#polls = [...this.#polls.filter(({ family }) => family !== 4), this.#poll(4, port)];
    }
    return this.#goOn();
  }

  /** Asks who is next in every poll, and the router when it is its turn, or `isLate`; when none is left, what the round showed. */
  #goOn(isLate = false): ReachabilityAction[] {
    const isUnreached = this.#polls.some((poll) => poll.family === 4 && confirmed(poll) === undefined);
    const early = isLate && isUnreached && this.#mayHurry() ? this.#map() : [];
    const asks = [...early, ...this.#polls.flatMap((poll) => this.#asksOf(poll))];
    if (asks.length > 0 || this.#polls.some(isOpen)) return asks;
    if (!isUnreached || this.#mapping === "tried") return this.#finish();
    return this.#mapping === "untried" ? this.#map() : [];
  }

  #map(): ReachabilityAction[] {
    this.#mapping = "asked";
    return [{ kind: "map", map: ++this.#mapCount }];
  }

  #asksOf(poll: Poll): ReachabilityAction[] {
    const asks: ReachabilityAction[] = [];
    // As long as the router may change it all, no more relays than necessary learn this computer's address.
    const most = poll.family === 4 && this.#mapping === "asked" ? CONFIRMATIONS : MOST_ASKED;
    while (poll.pending.size < missing(poll) && poll.asked < most) {
      const busy = new Set([...poll.pending.values(), ...poll.heard]);
      const fresh = poll.queue.findIndex(({ source }) => !busy.has(source) && !poll.silent.has(source));
      // Another relay of a source that kept silent is asked only when there is nobody else: silence must not use up the questions.
      const index = fresh >= 0 ? fresh : poll.queue.findIndex(({ source }) => !busy.has(source));
      const [relay] = index < 0 ? [] : poll.queue.splice(index, 1);
      if (relay === undefined) break;
      const ask = ++this.#askCount;
      poll.asked++;
      poll.pending.set(ask, relay.source);
      asks.push({ kind: "ask", ask, key: relay.key, family: poll.family, port: poll.port });
    }
    return asks;
  }

  #finish(): ReachabilityAction[] {
    this.#running = false;
    const found = this.#polls.flatMap((poll) => confirmed(poll) ?? []);
    const answered = this.#polls.some(({ heard }) => heard.size > 0);
    // Answers that still come are no longer waited for.
    this.#polls = [];
    const before = this.#verdict;
    if (before !== undefined) {
      const lost = before.some((endpoint) => !found.some((other) => same(endpoint, other)));
      const doubted = this.#doubted;
      this.#doubted = lost || !answered;
      if (!answered || (lost && !doubted)) return [{ kind: "wait", ms: AGAIN_SOON_MS }];
    }
    this.#doubted = false;
    this.#verdict = found;
    const ms = !answered ? AGAIN_SOON_MS : found.length > 0 ? AGAIN_REACHABLE_MS : AGAIN_UNREACHABLE_MS;
    const unchanged =
      before?.length === found.length && found.every((one) => before.some((other) => same(one, other)));
    return [...(unchanged ? [] : [{ kind: "verdict", endpoints: found } as const]), { kind: "wait", ms }];
  }
}

/** Still waits for somebody whose word may matter. */
function isOpen(poll: Poll): boolean {
  return poll.pending.size > 0 && confirmed(poll) === undefined;
}

function vote(poll: Poll, endpoint: Endpoint, source: string): void {
  // An address of the other family, or another port, is no answer to what was asked.
  if (endpoint.host.includes(":") !== (poll.family === 6) || endpoint.port !== poll.port) return;
  const key = `${endpoint.host} ${endpoint.port}`;
  const known = poll.votes.get(key) ?? { endpoint, sources: new Set() };
  known.sources.add(source);
  poll.votes.set(key, known);
}

/** How many more sources have to agree with those that agree most. */
function missing(poll: Poll): number {
  return CONFIRMATIONS - Math.max(0, ...[...poll.votes.values()].map(({ sources }) => sources.size));
}

function confirmed(poll: Poll): Endpoint | undefined {
  return [...poll.votes.values()].find(({ sources }) => sources.size >= CONFIRMATIONS)?.endpoint;
}

function same(a: Endpoint, b: Endpoint): boolean {
  return a.host === b.host && a.port === b.port;
}
