import type { Clock } from "../base/clock.ts";
import { BackroomError, isBackroomError, type ErrorCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { hopTarget } from "../directory/relay-info.ts";
import { Finder } from "../tunnel/finder.ts";
import type { FoundTunnel } from "../tunnel/dial.ts";
import { rotationMs } from "../tunnel/rotation.ts";
import { whenAborted } from "../base/abort.ts";
import type { Client } from "./client.ts";
import { Scouting } from "./scouting.ts";
import type { Swarming } from "./swarming.ts";

/** Tunnels that a download keeps up where there are so many seeders: more add circuits, not speed. */
const TUNNELS_WANTED = 6;
/** Those to peers that lack what is missing here do not count among them, but are not more than this with them: such a peer may get it yet. */
const TUNNELS_MOST = 12;
/** Pauses between rounds while nobody is connected. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
/** The same once whoever is patient has waited for as long as others do. A share that its seeder shows in turns is there for longer than that. */
const LONGEST_PATIENT_PAUSE_MS = 5 * 60_000;
/** Between rounds while somebody is, or nothing is missing. */
const TOP_UP_MS = 20_000;
const COMPLETE_PAUSE_MS = 2_000;
/** Between look-ups of more seeders while data flows, and peers pass leases on: doubled each time that finds nobody. */
const LOOK_UP_LEAST_MS = 20_000;
const LOOK_UP_MOST_MS = 5 * 60_000;
/** Below this data does not flow, and look-ups stay closer together: each costs circuits all the same. */
const STARVED_BYTES_PER_S = 16 * 1024;
const LOOK_UP_STARVED_MOST_MS = 80_000;
/** How long nobody may be found: at first, and once something has come. */
const PATIENCE_MS = 25_000;
/** Longer than our own bounds keep us from a gate: whoever gave up just before would say of others what they did not do. */
const PATIENCE_WITH_DATA_MS = 2.5 * LIMITS.gateRebuildEveryMs;
/** At first too few rounds prove nothing: one in which relays stall takes longer than the patience, and the next goes round them. */
const ROUNDS_LEAST = 3;
/** Below this for that long, more may come from the same seeder through another of its gates: who holds the data back is not to be seen from here. */
const SLOW_BYTES_PER_S = 128 * 1024;
const SLOW_MS = 15_000;
/**
 * A seeder that fell silent, or whose tunnel was over at once with next to nothing come, is left alone for a while: it may be full. Less
 * than the patience. Through that gate only: it may as well be the gate that ends tunnels or lets them stall.
 */
const REST_MS = 10_000;
/** Whoever had nothing that is missing may have it by then. */
const IDLE_REST_MS = 2 * 60_000;
const AT_ONCE_MS = 5_000;
const LITTLE_BYTES = 256 * 1024;
/** Between tries to replace a tunnel whose circuit grows old; the old one goes on meanwhile, for hours. */
const ROTATE_AGAIN_MS = 60_000;
/** Who breaks the rules does so again; a lease that a mere stall has ended is as good as before. */
const OFFENCES: ReadonlySet<string> = new Set<ErrorCode>([
  "E_PEER_ADDRESS",
  "E_PEER_DATA",
  "E_PEER_FLOOD",
  "E_HASH",
  "E_WIRE",
]);

export interface FetchingOptions {
  readonly client: Pick<Client, "open" | "vet" | "decodeInfo" | "machine" | "vouchesFor" | "isAway">;
  readonly swarming: Swarming;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Never gives up, but asks less and less often while nobody is found. */
  readonly isPatient?: boolean;
  /**
   * A round found nobody, and nobody is connected. `failure` says what was in the way, if anything but that nobody is there; `isLate` that it
   * has been so for as long as whoever is not patient waits.
   */
  readonly onAlone?: (failure: BackroomError | undefined, isLate: boolean) => void;
}

interface Connection {
  readonly seeder: string;
  /** Node key in hex. */
  readonly gate: string;
  readonly sinceMs: number;
  /** What the swarm had downloaded by then. */
  readonly sinceBytes: number;
  /** From then on another tunnel to the same seeder takes its place; monotonic. */
  untilMs: number;
  /** The swarm's token of the one that does. */
  replacedBy: object | undefined;
}

/** Keeps a download supplied with tunnels to seeders. */
export class Fetching {
  readonly #options: FetchingOptions;
  readonly #clock: Clock;
  readonly #finder: Finder;
  /** By the swarm's token of the peer. */
  readonly #connected = new Map<object, Connection>();
  /** Seeders that are not dialled before then, and seeders with a gate: monotonic, infinite for those that broke the rules. */
  readonly #restUntilMs = new Map<string, number>();
  #wake: (() => void) | undefined;
  /** There is reason for another round at once. */
  #again = false;
  #aloneSinceMs: number;
  #lookUpAtMs = -Infinity;
  #lookUpPauseMs = LOOK_UP_LEAST_MS;

  /** Becomes the supply of `swarming`. */
  constructor(options: FetchingOptions) {
    this.#options = options;
    const { client, swarming, log } = options;
    this.#clock = client.machine.clock;
    this.#aloneSinceMs = this.#clock.monotonicMs();
    swarming.supply = {
      onPeerClosed: (peer, error) => this.#onPeerClosed(peer, error),
      onNews: () => {
        if (this.#useful().length < TUNNELS_WANTED) this.#rouse();
      },
    };
    const scouting = new Scouting(client);
    this.#finder = new Finder(swarming.book, {
      clock: this.#clock,
      random: client.machine.random,
      log,
      askScouts: async (topicHash) => (await scouting.ask(topicHash)).map(hopTarget),
      isVouched: ({ info }) => client.vouchesFor(client.vet(info)),
      onNews: () => this.#rouse(),
      isAway: ({ nodeKey }) => client.isAway(nodeKey.toString("hex")),
      openGateCircuit: async (gate) => {
        const { circuit } = await client.open({ role: "downloader", gate: client.vet(gate.info) });
        return circuit;
      },
      readRelayInfo: (info) => hopTarget(client.vet(info)),
    });
  }

  /**
   * Runs until `done` is aborted; does nothing while nothing is missing. Raises E_NO_SEEDERS and its kin when nobody is to be had for too
   * long, why the swarm failed, E_INTERRUPTED when stopped.
   */
  async run(done: AbortSignal): Promise<void> {
    const { signal, swarming } = this.#options;
    const stop = AbortSignal.any([signal, done]);
    // A round may wait for a relay that does not answer; whoever stops does not wait with it.
    try {
      await Promise.race([this.#keepUp(stop), whenAborted(stop), swarming.failed]);
    } finally {
      this.#finder.close();
    }
    if (signal.aborted) throw new BackroomError("E_INTERRUPTED", "the download was stopped");
  }

  async #keepUp(stop: AbortSignal): Promise<void> {
    const { swarming } = this.#options;
    for (let failures = 0; !stop.aborted;) {
      this.#again = false;
      if (swarming.swarm.stats().complete) {
        this.#aloneSinceMs = this.#clock.monotonicMs();
        await this.#pause(COMPLETE_PAUSE_MS, stop);
        continue;
      }
      const failure = await this.#round(stop);
      const alone = this.#connected.size === 0;
      failures = alone ? failures + 1 : 0;
      if (!alone) {
        await this.#rotate(stop);
        await this.#pause(this.#useful().length === 0 ? AT_ONCE_MS : TOP_UP_MS, stop);
        continue;
      }
      const isLate = this.#losePatience(failure, failures);
      this.#options.onAlone?.(failure, isLate);
      const longestMs = isLate ? LONGEST_PATIENT_PAUSE_MS : LONGEST_PAUSE_MS;
      await this.#pause(Math.min(FIRST_PAUSE_MS * 2 ** failures, longestMs), stop);
    }
  }

  #onPeerClosed(peer: object, error: BackroomError | undefined): void {
    const { swarming } = this.#options;
    const connection = this.#connected.get(peer);
    if (connection === undefined) return;
    this.#connected.delete(peer);
    if (connection.replacedBy !== undefined && this.#connected.has(connection.replacedBy)) return;
    const nowMs = this.#clock.monotonicMs();
    const isOffence = error !== undefined && OFFENCES.has(error.code);
    // Where enough came, or the circuit broke, a relay went away: the seeder is at other gates already, and can be reached at once.
    const gaveLittle = swarming.swarm.stats().downloadedBytes - connection.sinceBytes < LITTLE_BYTES;
    const isOver = gaveLittle && error?.code !== "E_CIRCUIT" && nowMs - connection.sinceMs < AT_ONCE_MS;
    // Records that do not authenticate were changed on the way, by the gate or before it.
    const isUseless = error?.code === "E_PEER_TIMEOUT" || error?.code === "E_TUNNEL" || isOver;
    if (isOffence) this.#restUntilMs.set(connection.seeder, Infinity);
    else if (isUseless) this.#restUntilMs.set(wayOf(connection), nowMs + REST_MS);
    if (isUseless || error !== undefined) this.#finder.noteTrouble(connection.gate);
    this.#lookUpPauseMs = LOOK_UP_LEAST_MS;
    if (this.#connected.size > 0) return;
    this.#aloneSinceMs = nowMs;
    this.#rouse();
  }

  async #round(stop: AbortSignal): Promise<BackroomError | undefined> {
    const { swarming, log } = this.#options;
    const { seeder: self, book, swarm } = swarming;
    const nowMs = this.#clock.monotonicMs();
    const connected = new Set([...this.#connected.values()].map(({ seeder }) => seeder));
    for (const seeder of connected) book.markAlive(seeder);
    this.#makeRoom();
    const want = Math.min(TUNNELS_WANTED - this.#useful().length, TUNNELS_MOST - connected.size);
    if (want <= 0) return undefined;
    const { downloadRate, isHeldBack } = swarm.stats();
    const starves = downloadRate < STARVED_BYTES_PER_S && !isHeldBack;
    // Of nobody, nothing can come, whatever the rate of the last seconds still says.
    const mayLookUp = connected.size === 0 || nowMs >= this.#lookUpAtMs;
    const isRested = (name: string): boolean => nowMs >= (this.#restUntilMs.get(name) ?? -Infinity);
    const isWanted = (seeder: string, gate: string): boolean =>
      seeder !== self && isRested(seeder) && isRested(wayOf({ seeder, gate })) && this.#lacks(seeder, gate);
    try {
      for await (const { tunnel, seeder, gate } of this.#finder.find({ want, isWanted, mayLookUp })) {
        if (stop.aborted) {
          tunnel.close();
          break;
        }
        const peer = this.#add({ tunnel, seeder, gate });
        if (peer === undefined) this.#restUntilMs.set(seeder, this.#clock.monotonicMs() + REST_MS);
      }
      return undefined;
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      log("debug", "looking for seeders failed", { code: error.code });
      return error;
    } finally {
      if (mayLookUp) this.#planLookUp(this.#connected.size > connected.size, starves);
    }
  }

  /** Those who have something that is missing here, or have not said yet. */
  #useful(): object[] {
    const { swarm } = this.#options.swarming;
    const nowMs = this.#clock.monotonicMs();
    return [...this.#connected]
      .filter(([peer, { sinceMs }]) => swarm.hasUse(peer) || nowMs - sinceMs < AT_ONCE_MS)
      .map(([peer]) => peer);
  }

  /** Where all places are taken by those who are of no use, the one that has been so for longest goes. */
  #makeRoom(): void {
    if (this.#connected.size < TUNNELS_MOST) return;
    const useful = new Set(this.#useful());
    const idle = [...this.#connected.keys()].find((peer) => !useful.has(peer));
    if (idle === undefined) return;
    // Not the same one again: others get its place meanwhile.
    const { seeder } = this.#connected.get(idle) as Connection;
    this.#restUntilMs.set(seeder, this.#clock.monotonicMs() + IDLE_REST_MS);
    this.#options.swarming.swarm.dropPeer(idle);
  }

  /** Whether there is no tunnel to the seeder, or none that is of use and none through that gate. */
  #lacks(seeder: string, gate: string): boolean {
    const held = [...this.#connected.values()].filter((connection) => connection.seeder === seeder);
    // More tunnels make nothing faster that this computer's own limit keeps slow.
    const { downloadRate, isHeldBack } = this.#options.swarming.swarm.stats();
    const isSlow = downloadRate < SLOW_BYTES_PER_S && !isHeldBack;
    const oldMs = this.#clock.monotonicMs() - SLOW_MS;
    return held.every((connection) => isSlow && connection.gate !== gate && connection.sinceMs <= oldMs);
  }

  #add(
    { tunnel, seeder, gate }: Pick<FoundTunnel, "tunnel" | "seeder" | "gate">,
    replaces?: object,
  ): object | undefined {
    const { swarm } = this.#options.swarming;
    const peer = swarm.addPeer(tunnel, {
      initiator: true,
      seeder,
      ...(replaces === undefined ? {} : { replaces }),
    });
    if (peer === undefined) return undefined;
    const { random } = this.#options.client.machine;
    this.#connected.set(peer, {
      seeder,
      gate,
      sinceMs: this.#clock.monotonicMs(),
      sinceBytes: swarm.stats().downloadedBytes,
      untilMs: rotationMs(this.#clock, random),
      replacedBy: undefined,
    });
    return peer;
  }

  /** Another tunnel to the same seeder comes up before one goes whose circuit grows old. */
  async #rotate(stop: AbortSignal): Promise<void> {
    const { log } = this.#options;
    for (const [old, connection] of this.#connected) {
      const isBeingReplaced =
        connection.replacedBy !== undefined && this.#connected.has(connection.replacedBy);
      if (stop.aborted || isBeingReplaced || this.#clock.monotonicMs() < connection.untilMs) continue;
      connection.untilMs = this.#clock.monotonicMs() + ROTATE_AGAIN_MS;
      const isWanted = (seeder: string): boolean => seeder === connection.seeder;
      try {
        for await (const found of this.#finder.find({ want: 1, isWanted, mayLookUp: true })) {
          if (stop.aborted || !this.#connected.has(old)) found.tunnel.close();
          else connection.replacedBy = this.#add(found, old);
        }
      } catch (error) {
        if (!isBackroomError(error)) throw error;
        log("debug", "a tunnel could not be replaced yet", { code: error.code });
      }
    }
  }

  #planLookUp(foundSome: boolean, starves: boolean): void {
    const mostMs = starves ? LOOK_UP_STARVED_MOST_MS : LOOK_UP_MOST_MS;
    const pauseMs = foundSome ? LOOK_UP_LEAST_MS : Math.min(this.#lookUpPauseMs, mostMs);
    this.#lookUpAtMs = this.#clock.monotonicMs() + pauseMs;
    this.#lookUpPauseMs = Math.min(2 * pauseMs, mostMs);
  }

  /** Whether nobody was found for too long, which whoever is not patient is told by what it raises. */
  #losePatience(failure: BackroomError | undefined, rounds: number): boolean {
    const { haveCount } = this.#options.swarming.swarm.stats();
    // Gates drop the leases of seeders that are gone: who is named is there, and a relay between is the trouble.
    const begun = haveCount > 0 || rounds < ROUNDS_LEAST || failure?.code === "E_TUNNEL";
    const patienceMs = begun ? PATIENCE_WITH_DATA_MS : PATIENCE_MS;
    if (
      this.#clock.monotonicMs() - this.#aloneSinceMs < patienceMs &&
      failure?.code !== "E_NETWORK_TOO_SMALL"
    )
      return false;
    if (this.#options.isPatient === true) return true;
    throw failure ?? new BackroomError("E_NO_SEEDERS", "no seeder of the share was found");
  }

  #rouse(): void {
    this.#again = true;
    this.#wake?.();
  }

  #pause(ms: number, stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        stop.removeEventListener("abort", end);
        this.#wake = undefined;
        resolve();
      };
      const cancel = this.#clock.after(ms, end);
      stop.addEventListener("abort", end);
      this.#wake = end;
      if (stop.aborted || this.#again) end();
    });
  }
}

/** Names a seeder together with a gate of it. */
function wayOf({ seeder, gate }: Pick<Connection, "seeder" | "gate">): string {
  return `${seeder} ${gate}`;
}
