import { systemClock } from "../base/clock.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { shuffled, systemRandom } from "../base/random.ts";
import { ChannelPool } from "../circuit/channel-pool.ts";
import { buildCircuit } from "../circuit/client-circuit.ts";
import type { Circuit } from "../circuit/stream.ts";
import { bootstrap } from "../directory/bootstrap.ts";
import { createDirectoryClient } from "../directory/directory-client.ts";
import { createClockCheck } from "../directory/clock-check.ts";
import { isAcceptable } from "../directory/acceptable.ts";
import type { Network } from "../directory/network.ts";
import { pickGuards, pickPath, pickSeconds, type PathRole, type Profile } from "../directory/path.ts";
import { describePrivacy } from "../directory/privacy.ts";
import { createRelayInfoDecoder, hopTarget, type RelayInfo } from "../directory/relay-info.ts";
import type { RelayTable } from "../directory/table.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import { createTlsDialer } from "../net/tls-dialer.ts";
import type { DataFolder } from "./data-folder.ts";
import type { Hooks } from "./hooks.ts";
import { joinRelayOf } from "./networks.ts";
import { ownNodeKey } from "./relay-keys.ts";
import { openTable, saveTable } from "./saved-table.ts";

const GUARDS = 3;
const SECONDS = 4;
/** Paths tried before a circuit is given up; each avoids the relays of those that failed. */
const PATHS_TRIED = 5;
/** A relay that was part of a path that failed is left out for this long, unless only such are left. */
const AVOID_MS = 60_000;

export interface ClientOptions {
  readonly folder: DataFolder;
  readonly network: Network;
  /** Besides those of the network file and the saved table. */
  readonly joinRelays: readonly JoinRelay[];
  readonly profile: Profile;
  readonly log: Log;
}

/**
 * A member's own circuits: knows relays, picks paths, builds them. Its channels are anonymous. Guards are chosen for each run.
 */
export class Client {
  readonly network: Network;
  readonly table: RelayTable;
  readonly decodeInfo = createRelayInfoDecoder();
  readonly #options: ClientOptions;
  readonly #ownKey: string | undefined;
  readonly #channels: ChannelPool;
  readonly #avoidUntilMs = new Map<string, number>();
  #guards: RelayInfo[] = [];
  #seconds: RelayInfo[] = [];

  private constructor(options: ClientOptions, table: RelayTable, ownKey: string | undefined) {
    this.#ownKey = ownKey;
    this.network = options.network;
    this.table = table;
    this.#options = options;
    const { id: networkId } = options.network;
    const dialer = createTlsDialer({ networkId, clock: systemClock, random: systemRandom });
    this.#channels = new ChannelPool({ dialer, clock: systemClock });
  }

  /**
   * Joins the network: asks relays for relays, tells what the network can hide. Raises E_NO_RELAYS, E_OTHER_NETWORK, E_CLOCK, and
   * E_FEW_SOURCES where the person does not accept that.
   */
  static async open(options: ClientOptions, hooks: Hooks): Promise<Client> {
    const { folder, network } = options;
    const client = new Client(options, await openTable(folder, network), await ownNodeKey(folder));
    hooks.status(`Joining “${network.name}”: asking relays which others there are …`);
    try {
      await client.#join(hooks);
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

  /** Guards of this run, which links must not name. */
  guards(): readonly RelayInfo[] {
    if (this.#guards.length === 0) this.#chooseGuards();
    return this.#guards;
  }

  /** A circuit for that purpose; relays in `avoid` (node keys in hex) are left out. Raises E_NETWORK_TOO_SMALL, E_CIRCUIT and their kin. */
  async open(
    want: PathRole,
    avoid: ReadonlySet<string> = new Set(),
  ): Promise<{ circuit: Circuit; path: RelayInfo[] }> {
    let failure: unknown;
    for (let tried = 0; tried < PATHS_TRIED; tried++) {
      const path = this.#pick(want, avoid);
      try {
        const circuit = await buildCircuit(
          { channels: this.#channels, clock: systemClock },
          path.map(hopTarget),
        );
        return { circuit, path };
      } catch (error) {
        if (!isBackroomError(error)) throw error;
        failure = error;
        this.#suspect(path, error);
        this.#options.log("debug", "a circuit could not be built", { code: error.code });
      }
    }
    throw failure;
  }

  /** The middle hops that this run's standing circuits use. */
  seconds(): readonly RelayInfo[] {
    if (this.#seconds.length < 2) {
      this.#seconds = pickSeconds(this.relays(), this.guards(), SECONDS, this.network, systemRandom);
    }
    return this.#seconds;
  }

  /** A relay info out of a lease or an answer: of this network, of today, dialable. Raises E_RELAY_INFO. */
  vet(bytes: Uint8Array): RelayInfo {
    const info = this.decodeInfo(bytes);
    if (!isAcceptable(info, this.network, systemClock.nowMs())) {
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
        systemRandom,
      );
    const suspects = this.#suspects();
    if (this.guards().every((guard) => suspects.has(guard.key))) this.#chooseGuards();
    try {
      return pick(new Set([...avoid, ...suspects]));
    } catch (error) {
      if (!isBackroomError(error, "E_NETWORK_TOO_SMALL") || suspects.size === 0) throw error;
      this.#avoidUntilMs.clear();
      return pick(avoid);
    }
  }

  /** Which hop failed is known only when it was the guard; otherwise all behind it are under suspicion for a while. */
  #suspect(path: readonly RelayInfo[], error: BackroomError): void {
    const guardFailed = error.code !== "E_CIRCUIT";
    const untilMs = systemClock.monotonicMs() + AVOID_MS;
    for (const relay of guardFailed ? path.slice(0, 1) : path.slice(1))
      this.#avoidUntilMs.set(relay.key, untilMs);
    if (!guardFailed) this.#seconds = this.#seconds.filter((relay) => !path.includes(relay));
  }

  #suspects(): Set<string> {
    const nowMs = systemClock.monotonicMs();
    for (const [key, untilMs] of this.#avoidUntilMs) if (untilMs <= nowMs) this.#avoidUntilMs.delete(key);
    return new Set(this.#avoidUntilMs.keys());
  }

  #chooseGuards(): void {
    const suspects = this.#suspects();
    const candidates = this.relays().filter((relay) => !suspects.has(relay.key));
    const pool = candidates.length > 0 ? candidates : this.relays();
    this.#guards = pickGuards(pool, GUARDS, this.network, systemRandom);
  }

  async #join(hooks: Hooks): Promise<void> {
    const { network, joinRelays } = this.#options;
    const saved = shuffled(this.relays(), systemRandom).slice(0, 8).map(joinRelayOf);
    const relays = [...joinRelays, ...network.relays, ...saved];
    const run = (acceptFewSources: boolean): Promise<unknown> =>
      bootstrap(
        { relays, acceptFewSources },
        {
          table: this.table,
          network,
          clock: systemClock,
          random: systemRandom,
          decodeInfo: this.decodeInfo,
          clockCheck: createClockCheck(),
          log: this.#options.log,
          connect: createDirectoryClient({
            channels: this.#channels,
            clock: systemClock,
            decodeInfo: this.decodeInfo,
          }),
        },
      );
    try {
      await run(false);
    } catch (error) {
      if (!isBackroomError(error, "E_FEW_SOURCES")) throw error;
      if (!(await hooks.confirm(`${error.message}: ${error.why}.`, "--accept-few-sources"))) throw error;
      await run(true);
    }
  }
}
