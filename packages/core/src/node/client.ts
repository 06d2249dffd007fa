import { BackroomError, isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { shuffled } from "../base/random.ts";
import { ChannelPool } from "../circuit/channel-pool.ts";
import { buildCircuit } from "../circuit/client-circuit.ts";
import type { Circuit } from "../circuit/stream.ts";
import { bootstrap } from "../directory/bootstrap.ts";
import { createDirectoryClient } from "../directory/directory-client.ts";
import { createClockCheck } from "../directory/clock-check.ts";
import { isAcceptable } from "../directory/acceptable.ts";
import type { Network } from "../directory/network.ts";
import { pickPath, pickSeconds, type PathRole, type Profile } from "../directory/path.ts";
import { describePrivacy } from "../directory/privacy.ts";
import { createRelayInfoDecoder, hopTarget, type RelayInfo } from "../directory/relay-info.ts";
import type { RelayTable } from "../directory/table.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import type { DataFolder } from "./data-folder.ts";
import { openGuards, saveGuards, type Guards } from "./guards.ts";
import type { Hooks } from "./hooks.ts";
import { systemMachine, type Machine } from "./machine.ts";
import { joinRelayOf } from "./networks.ts";
import { ownNodeKey } from "./relay-keys.ts";
import { openTable, saveTable } from "./saved-table.ts";

const SECONDS = 4;
/** As many independent sources as a table is filled from (PROTOCOL 7.4). */
const GUARDS_ASKED = 3;
/** Paths tried before a circuit is given up; each avoids the relays of those that failed. */
const PATHS_TRIED = 5;
/** A path to a gate that was somebody else's choice is not tried again once this many relays could not reach it. */
const GATE_FAILURES = 2;
/** Before another path, doubled each time: a channel that has just died takes a moment to be known as dead, and would fail them all at once. */
const PAUSE_MS = 40;
/** A relay that was part of a path that failed is left out for this long, unless only such are left. */
const AVOID_MS = 60_000;

export interface ClientOptions {
  readonly folder: DataFolder;
  readonly network: Network;
  /** Besides those of the network file and the saved table. */
  readonly joinRelays: readonly JoinRelay[];
  readonly profile: Profile;
  readonly log: Log;
  /** Absent: the computer that this runs on. */
  readonly machine?: Machine;
}

/** What a path is for; a seeder's middle hops are the client's to keep. */
export type ClientPathRole =
  | Exclude<PathRole, { readonly role: "seeder" }>
  | { readonly role: "seeder"; readonly gate?: RelayInfo | undefined };

/**
 * A member's own circuits: knows relays, picks paths, builds them. Its channels are anonymous.
 */
export class Client {
  readonly network: Network;
  readonly table: RelayTable;
  readonly machine: Machine;
  readonly decodeInfo = createRelayInfoDecoder();
  readonly #options: ClientOptions;
  readonly #ownKey: string | undefined;
  readonly #channels: ChannelPool;
  /** Relays that did not join a path, by key; and those before them, whose word that is. */
  readonly #missing = new Map<string, number>();
  readonly #doubted = new Map<string, number>();
  readonly #guards: Guards;
  #seconds: RelayInfo[] = [];

  private constructor(options: ClientOptions, table: RelayTable, guards: Guards, ownKey: string | undefined) {
    this.#ownKey = ownKey;
    this.#guards = guards;
    this.network = options.network;
    this.machine = options.machine ?? systemMachine;
    this.table = table;
    this.#options = options;
    const { id: networkId } = options.network;
    const { clock } = this.machine;
    this.#channels = new ChannelPool({ dialer: this.machine.createDialer({ networkId }), clock });
  }

  /**
   * Joins the network: asks relays for relays, tells what the network can hide. Raises E_NO_RELAYS, E_OTHER_NETWORK, E_CLOCK, and
   * E_FEW_SOURCES where the person does not accept that.
   */
  static async open(options: ClientOptions, hooks: Hooks): Promise<Client> {
    const { folder, network, machine = systemMachine } = options;
    const guards = await openGuards(folder, network, machine);
    const client = new Client(
      options,
      await openTable(folder, network, machine),
      guards,
      await ownNodeKey(folder),
    );
    hooks.status(`Joining “${network.name}”: asking relays which others there are …`);
    try {
      await client.#join(hooks);
      client.guards();
      await saveGuards(folder, network, guards);
      await saveTable(folder, network, client.table);
    } catch (error) {
      client.close();
      throw error;
    }
    const { level, sentences } = describePrivacy(client.relays(), network, options.profile);
    if (level !== "fair") hooks.warn(sentences[0] ?? "");
    return client;
  }

  /** What paths are picked from, this member's own relay aside. */
  relays(): RelayInfo[] {
    return this.table.forPaths().filter((relay) => relay.key !== this.#ownKey);
  }

  /** This member's guards, which links must not name. */
  guards(): readonly RelayInfo[] {
    return this.#guards.among(this.relays());
  }

  /** A circuit for that purpose; relays in `avoid` (node keys in hex) are left out. Raises E_NETWORK_TOO_SMALL, E_CIRCUIT and their kin. */
  async open(
    want: ClientPathRole,
    avoid: ReadonlySet<string> = new Set(),
  ): Promise<{ circuit: Circuit; path: RelayInfo[] }> {
    let failure: unknown;
    let gateFailures = 0;
    for (let tried = 0; tried < PATHS_TRIED && gateFailures < GATE_FAILURES; tried++) {
      if (tried > 0) await this.#pause(PAUSE_MS * 2 ** tried);
      // Anew each time: a middle hop that is missing was taken out of the seeder's set.
      const path = this.#pick(want.role === "seeder" ? { ...want, seconds: this.#middles() } : want, avoid);
      let joined = 0;
      try {
        const circuit = await buildCircuit(
          { channels: this.#channels, clock: this.machine.clock },
          path.map(hopTarget),
          () => joined++,
        );
        return { circuit, path };
      } catch (error) {
        if (!isBackroomError(error)) throw error;
        failure = error;
        this.#suspect(path, joined);
        if ("gate" in want && want.gate !== undefined && joined === path.length - 1) gateFailures++;
        this.#options.log("debug", "a circuit could not be built", { code: error.code });
      }
    }
    throw failure;
  }

  /** A relay info out of a lease or an answer: of this network, of today, dialable. Raises E_RELAY_INFO. */
  vet(bytes: Uint8Array): RelayInfo {
    const info = this.decodeInfo(bytes);
    if (!isAcceptable(info, this.network, this.machine.clock.nowMs())) {
      throw new BackroomError("E_RELAY_INFO", "a relay info is of another network or day, or not dialable");
    }
    return info;
  }

  close(): void {
    this.#channels.close();
  }

  #pick(want: PathRole, avoid: ReadonlySet<string>): RelayInfo[] {
    const { profile } = this.#options;
    const pick = (avoided: ReadonlySet<string>): RelayInfo[] =>
      pickPath(
        this.relays(),
        want,
        { profile, network: this.network, guards: this.guards(), avoid: avoided },
        this.machine.random,
      );
    const missing = this.#unexpired(this.#missing);
    const doubted = this.#unexpired(this.#doubted);
    if (this.guards().every((guard) => missing.has(guard.key))) this.#takeMoreGuards(missing);
    // In a small network those under suspicion may be all there are: first the doubted come back, then all.
    for (const suspects of [new Set([...missing, ...doubted]), missing]) {
      if (suspects.size === 0) continue;
      try {
        return pick(new Set([...avoid, ...suspects]));
      } catch (error) {
        if (!isBackroomError(error, "E_NETWORK_TOO_SMALL")) throw error;
      }
    }
    return pick(avoid);
  }

  /** The hop after the `joined` first ones is missing, or the one before it says so: that one is only doubted, the guard not even that. */
  #suspect(path: readonly RelayInfo[], joined: number): void {
    const untilMs = this.machine.clock.monotonicMs() + AVOID_MS;
    const lost = path[joined];
    if (lost !== undefined) this.#missing.set(lost.key, untilMs);
    for (const relay of path.slice(1, joined)) this.#doubted.set(relay.key, untilMs);
    this.#seconds = this.#seconds.filter((relay) => relay !== lost);
  }

  /** The middle hops that this run's standing circuits use. */
  #middles(): readonly RelayInfo[] {
    if (this.#seconds.length < 2) {
      const { random } = this.machine;
      this.#seconds = pickSeconds(this.#present(), this.guards(), SECONDS, this.network, random);
    }
    return this.#seconds;
  }

  #present(): RelayInfo[] {
    const missing = this.#unexpired(this.#missing);
    const present = this.relays().filter((relay) => !missing.has(relay.key));
    return present.length > 0 ? present : this.relays();
  }

  #takeMoreGuards(missing: ReadonlySet<string>): void {
    const { folder, network } = this.#options;
    if (!this.#guards.takeMore(this.relays(), missing)) return;
    // Not kept, the next run takes other ones: worse, but no reason to stop.
    void saveGuards(folder, network, this.#guards).catch(() => {});
  }

  async #join(hooks: Hooks): Promise<void> {
    const { network, joinRelays } = this.#options;
    const { clock } = this.machine;
    const saved = shuffled(this.relays(), this.machine.random).slice(0, 8).map(joinRelayOf);
    const run = (relays: readonly JoinRelay[], acceptFewSources: boolean): Promise<unknown> =>
      bootstrap(
        { relays, acceptFewSources },
        {
          table: this.table,
          network,
          clock,
          random: this.machine.random,
          decodeInfo: this.decodeInfo,
          clockCheck: createClockCheck(),
          log: this.#options.log,
          connect: createDirectoryClient({
            channels: this.#channels,
            clock,
            decodeInfo: this.decodeInfo,
          }),
        },
      );
    // Guards know this member's address anyhow; while they answer nobody else has to.
    if (await this.#heardFromGuards((guards) => run(guards, false))) return;
    const relays = [...joinRelays, ...network.relays, ...saved];
    try {
      await run(relays, false);
    } catch (error) {
      if (!isBackroomError(error, "E_FEW_SOURCES")) throw error;
      if (!(await hooks.confirm(`${error.message}: ${error.why}.`, "--accept-few-sources"))) throw error;
      await run(relays, true);
    }
  }

  async #heardFromGuards(run: (relays: readonly JoinRelay[]) => Promise<unknown>): Promise<boolean> {
    const guards = this.#guards.joinRelays().slice(0, GUARDS_ASKED);
    if (guards.length < GUARDS_ASKED) return false;
    try {
      await run(guards);
      return true;
    } catch (error) {
      if (!isBackroomError(error) || error.code === "E_CLOCK") throw error;
      return false;
    }
  }

  /** The keys whose time is not over; forgets the others. */
  #unexpired(untilMs: Map<string, number>): Set<string> {
    const nowMs = this.machine.clock.monotonicMs();
    for (const [key, until] of untilMs) if (until <= nowMs) untilMs.delete(key);
    return new Set(untilMs.keys());
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.machine.clock.after(ms, resolve));
  }
}
