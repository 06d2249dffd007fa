import type { Clock } from "../base/clock.ts";
import { isBackroomError, type BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { ChannelPool } from "../circuit/channel-pool.ts";
import { buildCircuit } from "../circuit/client-circuit.ts";
import type { Circuit } from "../circuit/stream.ts";
import { placeGuest } from "../directory/guest-hops.ts";
import type { BiasVerdict } from "../directory/path-bias.ts";
import { pickPath, pickSeconds, type PathRole, type Profile } from "../directory/path.ts";
import { hopTarget, type RelayInfo } from "../directory/relay-info.ts";
import { related } from "../directory/subnets.ts";
import { Entry, isGuardsFault } from "./entry.ts";
import { firstOf } from "../base/first-of.ts";
import { GuardWatch } from "./guard-watch.ts";
import { ObservedCircuit } from "./observed-circuit.ts";
import { CircuitPictures, type CircuitPicture } from "./circuit-pictures.ts";
import type { PathStore } from "./path-store.ts";
import { avoidsOnlyLast, pickAround } from "./pick-around.ts";
import { Suspects } from "./suspects.ts";

/** Middle hops that a seeder has to choose from; with fewer that are there it takes others, too. */
const SECONDS = 4;
const SECONDS_LEAST = 2;
/** Guards that a path may be tried through in one go: the primary ones. */
const ENTRIES = 3;
/** Paths tried before a circuit is given up; each avoids the relays of those that failed. */
const PATHS_TRIED = 5;
/**
 * Paths that may fail behind one guard before the next primary one gets a try: a guard through which nothing can be built is no better than one that
 * is down. Not fewer, since hops behind it fail more often; and among the primary guards it makes no difference who knows this member.
 */
const PATHS_BY_GUARD = 3;
/** A path to a gate that was somebody else's choice is not tried again once this many relays could not reach it. */
const GATE_FAILURES = 2;
/**
 * When no hop has joined for that long, the next one is likely to be off, which the relay before it takes ten seconds to find out: another path gets a
 * try beside this one. Longer than a dial and a handshake take behind three slow hops.
 */
const HOP_PATIENCE_MS = 3_000;
/** Before another path, doubled each time: a channel that has just died takes a moment to be known as dead, and would fail them all at once. */
const PAUSE_MS = 40;
/** A circuit taken away younger than this was killed, or might as well have been. */
const YOUNG_MS = 2 * 60_000;

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
  readonly store: Pick<PathStore, "guards" | "seconds" | "measurements" | "saveQuietly" | "saveLater">;
  /** What paths are picked from, in the table's order. */
  relays(): readonly RelayInfo[];
  /** The guests that are known behind a relay. */
  guestsBehind(host: RelayInfo): readonly RelayInfo[];
  /** A sentence for the person. */
  warn(text: string): void;
  /** As of CircuitPictures. */
  readonly pictureSecret: Uint8Array;
}

/** What a path is chosen from, and relays (node keys in hex) that it is to do without. */
interface Choices {
  readonly relays: readonly RelayInfo[];
  readonly avoid: ReadonlySet<string>;
}

interface Progress {
  path: RelayInfo[];
  joined: number;
}

/** What is wanted, and what has become of the paths tried so far: those that failed or are slow by guard, and those that a named gate was missing in. */
interface Opening {
  readonly want: CircuitRole;
  readonly avoid: ReadonlySet<string>;
  readonly profile: Profile;
  tried: number;
  gateFailures: number;
  readonly behind: Map<string, number>;
  /** Why a path failed that led through a guard. */
  begun?: BackroomError;
}

interface Opened {
  readonly circuit: Circuit;
  readonly path: RelayInfo[];
}

/** A member's own circuits: picks paths, builds them, goes round what fails, and keeps account of how relays do. */
export class Circuits {
  readonly #deps: CircuitsDeps;
  readonly #suspects: Suspects;
  readonly #entry: Entry;
  readonly #watch: GuardWatch;
  readonly #pictures: CircuitPictures;
  /** Guards of which the person was told in this run. */
  readonly #warnedOf = new Set<string>();

  constructor(deps: CircuitsDeps) {
    this.#deps = deps;
    const { guards } = deps.store;
    this.#suspects = new Suspects(deps.clock);
    this.#entry = new Entry({ ...deps, guards });
    this.#watch = new GuardWatch({ guards, onVerdict: (key, verdict) => this.#onVerdict(key, verdict) });
    this.#pictures = new CircuitPictures(deps.clock, deps.pictureSecret);
    // To dial it would be to wait in vain once more: what it carried goes through the next one at once.
    deps.channels.onSilent = (nodeKey) => {
      const key = nodeKey.toString("hex");
      if (this.guards().some((guard) => guard.key === key)) guards.failed(key);
    };
  }

  /** The circuits that live now. */
  pictures(): CircuitPicture[] {
    return this.#pictures.list();
  }

  /** Whether the relay (node key in hex) did not answer lately: a guard that is down, or a hop that did not join. */
  isAway(key: string): boolean {
    return this.#deps.store.guards.down().has(key) || this.#suspects.missing().has(key);
  }

  guards(): readonly RelayInfo[] {
    return this.#guardsAmong(this.#deps.relays());
  }

  #guardsAmong(relays: readonly RelayInfo[]): readonly RelayInfo[] {
    const { store } = this.#deps;
    const before = store.guards.joinRelays().length;
    const guards = store.guards.among(relays);
    if (store.guards.joinRelays().length !== before) store.saveQuietly();
    return guards;
  }

  /**
   * A circuit for that purpose; relays in `avoid` (node keys in hex) are left out. Of the member's profile where none is given. Raises
   * E_NETWORK_TOO_SMALL; E_CIRCUIT where a circuit was begun; what the dialer raises where no guard could be reached.
   */
  async open(
    want: CircuitRole,
    avoid: ReadonlySet<string> = new Set(),
    profile: Profile = this.#deps.profile,
  ): Promise<Opened> {
    const opening: Opening = { want, avoid, profile, tried: 0, gateFailures: 0, behind: new Map() };
    const opened = await firstOf<Opened>({
      begin: (onSlow) =>
        opening.tried < PATHS_TRIED && opening.gateFailures < GATE_FAILURES
          ? this.#tryPath(opening, onSlow)
          : undefined,
      mayGoOn: (error) => isBackroomError(error) && error.code !== "E_NETWORK_TOO_SMALL",
      discard: ({ circuit }) => circuit.destroy(),
    });
    this.#pictures.add(opened.circuit, want.role, opened.path);
    return opened;
  }

  async #tryPath(opening: Opening, onSlow: () => void): Promise<Opened> {
    const { clock, log } = this.#deps;
    const { want, avoid, profile, behind } = opening;
    const tried = opening.tried++;
    if (tried > 0) await this.#pause(PAUSE_MS * 2 ** tried);
    const spent = new Set([...behind].filter(([, times]) => times >= PATHS_BY_GUARD).map(([key]) => key));
    const sinceMs = clock.monotonicMs();
    const progress = { path: [] as RelayInfo[], joined: 0 };
    let isCounted = false;
    let cancel = (): void => {};
    /** A path counts once, be it slow at each hop and fail in the end. */
    const countBehind = (): void => {
      const [guard] = progress.path;
      if (isCounted || guard === undefined || progress.joined === 0) return;
      isCounted = true;
      behind.set(guard.key, (behind.get(guard.key) ?? 0) + 1);
    };
    const waitForHop = (): void => {
      cancel();
      cancel = clock.after(HOP_PATIENCE_MS, () => {
        const { path, joined } = progress;
        if (isAtNamedGate(want, progress)) {
          // Another path would wait for it as well; but others may know by now that it is not there.
          cancel = this.#suspects.wait(path.slice(joined), 0);
          return;
        }
        log("debug", "a hop is waited for, and another path tried", { role: want.role, hopCount: joined });
        cancel = this.#suspects.wait(path, joined);
        countBehind();
        onSlow();
      });
    };
    try {
      // Anew each time: the suspects of the last path are left out. Sorting a large table is not for free, so once a path.
      const relays = this.#deps.relays();
      const entry = await this.#enter(want, { avoid, spent, relays });
      progress.path = this.#pick(want, { avoid, entry, relays, profile });
      // A seeder's second hops are kept, and none of them is bound to one guard: no guest is among them.
      if (want.role !== "seeder") progress.path = this.#withGuest(progress.path, avoid);
      waitForHop();
      const opened = await this.#build(want, progress, waitForHop);
      const tookMs = clock.monotonicMs() - sinceMs;
      log("debug", "a circuit was built", { role: want.role, hopCount: progress.joined, tookMs });
      return opened;
    } catch (error) {
      if (!isBackroomError(error) || error.code === "E_NETWORK_TOO_SMALL") throw error;
      const { joined } = progress;
      countBehind();
      if (isAtNamedGate(want, progress)) opening.gateFailures++;
      log("debug", "a circuit could not be built", {
        code: error.code,
        role: want.role,
        hopCount: joined,
        tookMs: clock.monotonicMs() - sinceMs,
      });
      if (error.code === "E_CIRCUIT") opening.begun = error;
      // What happened behind a guard says more than that none could be reached after it: see `isNoWayIn`.
      throw opening.begun ?? error;
    } finally {
      cancel();
    }
  }

  close(): void {
    this.#entry.close();
  }

  /** A guard with a channel, the best one that fits; undefined in a network so small that none fits by itself. */
  async #enter(
    want: CircuitRole,
    { avoid, spent, relays }: Choices & { readonly spent: ReadonlySet<string> },
  ): Promise<RelayInfo | undefined> {
    const { store, network } = this.#deps;
    const gate = "gate" in want ? want.gate : undefined;
    const down = store.guards.down();
    const isUp = ({ key }: RelayInfo): boolean => !down.has(key);
    if (!this.#guardsAmong(relays).some(isUp) && store.guards.takeMore(relays)) {
      this.#deps.log("info", "no guard answers: others are taken");
      store.saveQuietly();
    }
    const guards = this.#guardsAmong(relays);
    const fitting = guards.filter(
      (guard) => !avoid.has(guard.key) && (gate === undefined || !related(guard, gate, network)),
    );
    // What a seeder avoids is not to be its gate: better to enter by one of those than to wait for a guard that is down.
    const spare = avoidsOnlyLast(want) ? guards.filter(isUp) : [];
    // All are down: who knows, perhaps this computer was.
    const known = [fitting.filter(isUp), spare, fitting].find((some) => some.length > 0);
    const candidates = (known ?? []).slice(0, ENTRIES);
    const lossy = this.#suspects.lossyGuards();
    const fresh = candidates.filter(({ key }) => !spent.has(key) && !lossy.has(key));
    const inOrder = fresh.length > 0 ? fresh : candidates;
    if (inOrder.length === 0) return undefined;
    try {
      return await this.#entry.reach(inOrder);
    } finally {
      for (const guard of this.#guardsAmong(relays).slice(0, ENTRIES)) this.#entry.retry(guard);
    }
  }

  #pick(
    want: CircuitRole,
    {
      avoid,
      entry,
      relays,
      profile,
    }: Choices & { readonly entry: RelayInfo | undefined; readonly profile: Profile },
  ): RelayInfo[] {
    const { network, random, store } = this.#deps;
    const others = this.#guardsAmong(relays).filter((guard) => guard !== entry);
    const guards = entry === undefined ? others : [entry, ...others];
    const entries = entry === undefined ? others : [entry];
    const measured = store.measurements.standings();
    const role: PathRole = want.role === "seeder" ? { ...want, seconds: this.#seconds(relays) } : want;
    const missing = new Set([...this.#suspects.missing(), ...store.guards.down()]);
    const doubted = this.#suspects.doubted();
    return pickAround(role, { avoid, missing, doubted }, (as, left) =>
      pickPath(relays, as, { profile, network, guards, entries, avoid: left, measured }, random),
    );
  }

  #withGuest(path: readonly RelayInfo[], avoid: ReadonlySet<string>): RelayInfo[] {
    const missing = this.#suspects.missing();
    const fit = ({ key }: RelayInfo): boolean => !avoid.has(key) && !missing.has(key);
    const guestsBehind = (host: RelayInfo): RelayInfo[] => this.#deps.guestsBehind(host).filter(fit);
    return placeGuest(path, { network: this.#deps.network, guestsBehind }, this.#deps.random);
  }

  async #build(want: CircuitRole, progress: Progress, onJoined: () => void): Promise<Opened> {
    const { channels, clock, store } = this.#deps;
    const { path } = progress;
    const [guard] = path as [RelayInfo];
    let channel: object | undefined;
    const startedMs = clock.monotonicMs();
    let sinceMs = startedMs;
    const onHop = (): void => {
      const relay = path[progress.joined++];
      if (progress.joined === 1) channel = channels.current(guard.nodeKey);
      else if (relay !== undefined) store.measurements.noteJoin(relay.key, clock.monotonicMs() - sinceMs);
      sinceMs = clock.monotonicMs();
      store.saveLater();
      onJoined();
    };
    try {
      const circuit = await buildCircuit({ channels, clock }, path.map(hopTarget), onHop);
      if (channel !== undefined) this.#watch.succeeded(guard.key, channel, "build");
      return { circuit: this.#observed(circuit, path, channel), path };
    } catch (error) {
      const isLate = clock.monotonicMs() - startedMs >= LIMITS.circuitBuildMs;
      if (isGuardsFault(error)) this.#onBuildFailed(want, progress, channel, isLate);
      throw error;
    }
  }

  /** `channel` is the guard's, where that had joined; `isLate` says that the guard or a hop behind it was waited for in vain. */
  #onBuildFailed(want: CircuitRole, progress: Progress, channel: object | undefined, isLate: boolean): void {
    const { guards, measurements } = this.#deps.store;
    const { path, joined } = progress;
    const [guard] = path as [RelayInfo];
    if (joined === 0) return guards.failed(guard.key);
    this.#suspects.note(path, joined);
    const lost = path[joined];
    if (isAtNamedGate(want, progress) || lost === undefined || channel === undefined) return;
    const isCertain = measurements.wasSeen(lost.key);
    const isTold = !isLate && this.#deps.channels.current(guard.nodeKey) === channel;
    this.#watch.failed(guard.key, channel, { kind: "build", isCertain, isTold });
  }

  #observed(circuit: Circuit, path: readonly RelayInfo[], channel: object | undefined): Circuit {
    const { channels, clock, store } = this.#deps;
    const [guard] = path as [RelayInfo];
    const sinceMs = clock.monotonicMs();
    return new ObservedCircuit(circuit, clock, {
      onAnswered: () => {
        if (channel !== undefined) this.#watch.succeeded(guard.key, channel, "use");
      },
      onUnanswered: ({ isCertain, isTold }) => {
        if (channel === undefined) return;
        const isAlive = channels.current(guard.nodeKey) === channel;
        this.#watch.failed(guard.key, channel, { kind: "use", isCertain, isTold: isTold && isAlive });
      },
      onSilent: () => this.#suspects.noteLost(path),
      onGone: () => {
        if (clock.monotonicMs() - sinceMs < YOUNG_MS) this.#suspects.noteLost(path);
        // One of them may just have left: who goes back to the same gate at once does so by another way.
        else this.#suspects.note(path, path.length);
      },
      onRate: (bytesPerSecond) => {
        for (const relay of path.slice(1)) store.measurements.noteRate(relay.key, bytesPerSecond);
      },
    });
  }

  /** The middle hops that standing circuits use: few, and the same for days. */
  #seconds(relays: readonly RelayInfo[]): readonly RelayInfo[] {
    const { network, random, store } = this.#deps;
    const missing = this.#suspects.missing();
    const kept = store.seconds.among(relays);
    const there = kept.filter((relay) => !missing.has(relay.key));
    const wanted = kept.length < SECONDS ? SECONDS - kept.length : SECONDS_LEAST - there.length;
    if (wanted <= 0) return kept;
    const held = new Set(kept.map((relay) => relay.key));
    const pool = relays.filter((relay) => !held.has(relay.key) && !missing.has(relay.key));
    store.seconds.add(pickSeconds(pool, this.#guardsAmong(relays), wanted, network, random), relays);
    const seconds = store.seconds.among(relays);
    if (seconds.length > kept.length) store.saveQuietly();
    return seconds;
  }

  #onVerdict(key: string, verdict: BiasVerdict): void {
    const { store } = this.#deps;
    if (verdict === "suspicious" && !this.#warnedOf.has(key)) {
      this.#warnedOf.add(key);
      this.#deps.warn(
        "Unusually few circuits succeed through one of the relays that this computer enters the network by. It may be overloaded, or try to choose which circuits succeed; if it goes on, another one takes its place.",
      );
    }
    if (verdict !== "hostile" || !store.guards.replace(key)) return;
    this.#deps.log("warn", "a guard was replaced: too few circuits succeed through it");
    store.saveQuietly();
    this.#deps.warn(
      "One of the relays that this computer enters the network by lets so few circuits succeed that it is not used any more; another one has taken its place.",
    );
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#deps.clock.after(ms, resolve));
  }
}

/** All but the gate have joined, and that was somebody else's choice: it may never have been there, and another path would wait for it as well. */
function isAtNamedGate(want: CircuitRole, { path, joined }: Progress): boolean {
  return "gate" in want && want.gate !== undefined && joined === path.length - 1;
}
