import { BackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { ChannelPool } from "../circuit/channel-pool.ts";
import type { Circuit } from "../circuit/stream.ts";
import { isAcceptable } from "../directory/acceptable.ts";
import { createClockCheck } from "../directory/clock-check.ts";
import type { Network } from "../directory/network.ts";
import type { Profile } from "../directory/path.ts";
import { describePrivacy } from "../directory/privacy.ts";
import { createRelayInfoDecoder, isGuest, type RelayInfo } from "../directory/relay-info.ts";
import type { RelayTable } from "../directory/table.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import type { CircuitPicture } from "./circuit-pictures.ts";
import { Circuits, type CircuitRole } from "./circuits.ts";
import type { DataFolder } from "./data-folder.ts";
import { dhtFinder } from "./dht-finder.ts";
import type { Hooks } from "./hooks.ts";
import { joinNetworkThrough } from "./joining.ts";
import { lanFinder } from "./lan-finder.ts";
import { lanInUse } from "./lan-setting.ts";
import { hasNewInvite } from "./networks.ts";
import { machineBehind, type Machine } from "./machine.ts";
import { PathStore } from "./path-store.ts";
import { proxyInUse } from "./proxy-setting.ts";
import { startRefreshing } from "./refreshing.ts";
import { ownNodeKey } from "./relay-keys.ts";
import { cachedRelays, openTable, saveTable } from "./saved-table.ts";

export interface ClientOptions {
  readonly folder: DataFolder;
  readonly network: Network;
  /** Besides those of the network file and the saved table. */
  readonly joinRelays: readonly JoinRelay[];
  readonly profile: Profile;
  readonly log: Log;
  /** The proxy of this run, as text; undefined for the one that is kept, if any. */
  readonly proxy: string | undefined;
  /** Look for relays on the local network, too, in this run; otherwise as the setting says. */
  readonly lan?: boolean;
  /** Absent: the computer that this runs on, behind its proxy. */
  readonly machine?: Machine;
  /** As of CircuitPictures; absent: of this client alone. */
  readonly pictureSecret?: Uint8Array;
}

/**
 * A member of a network: knows relays, and builds circuits through them (`Circuits`). Its channels are anonymous.
 */
export class Client {
  readonly network: Network;
  readonly table: RelayTable;
  readonly machine: Machine;
  readonly decodeInfo = createRelayInfoDecoder();
  readonly #options: ClientOptions;
  /** Of this computer's own relay, which is no hop of its paths. */
  #ownKey: string | undefined;
  readonly #channels: ChannelPool;
  readonly #store: PathStore;
  readonly #circuits: Circuits;
  readonly #clockCheck = createClockCheck();
  #stopRefreshing = (): void => {};

  private constructor(
    options: ClientOptions,
    hooks: Pick<Hooks, "warn">,
    parts: {
      readonly machine: Machine;
      readonly table: RelayTable;
      readonly store: PathStore;
      readonly ownKey: string | undefined;
    },
  ) {
    const { table, store, ownKey } = parts;
    this.#ownKey = ownKey;
    this.#store = store;
    this.network = options.network;
    this.machine = parts.machine;
    this.table = table;
    this.#options = options;
    const { id: networkId } = options.network;
    const { clock, random } = this.machine;
    const { log } = options;
    this.#channels = new ChannelPool({ dialer: this.machine.createDialer({ networkId }), clock, log });
    this.#circuits = new Circuits({
      network: options.network,
      profile: options.profile,
      clock,
      random,
      log,
      channels: this.#channels,
      store,
      relays: () => this.relays(),
      guestsBehind: (host) => this.table.guests.behind(host).filter(({ key }) => key !== this.#ownKey),
      warn: (text) => hooks.warn(text),
      pictureSecret: options.pictureSecret ?? random.bytes(32),
    });
  }

  /**
   * Joins the network: asks relays for relays, tells what the network can hide. Raises E_NO_RELAYS, E_OTHER_NETWORK, E_CLOCK,
   * E_PROXY, and E_FEW_SOURCES where the person does not accept that.
   */
  static async open(options: ClientOptions, hooks: Hooks): Promise<Client> {
    const { folder, network } = options;
    const machine = options.machine ?? machineBehind(await proxyInUse(folder, options.proxy));
    const client = new Client(options, hooks, {
      machine,
      table: await openTable(folder, network, machine),
      store: await PathStore.open(folder, network, { ...machine, log: options.log }),
      ownKey: await ownNodeKey(folder),
    });
    hooks.status(`Joining “${network.name}”: asking relays which others there are …`);
    try {
      await client.#join(hooks);
      client.guards();
      await client.#store.save();
      await saveTable(folder, network, client.table);
    } catch (error) {
      await client.close();
      throw error;
    }
    client.#stopRefreshing = startRefreshing({ client, channels: client.#channels, log: options.log });
    options.log("info", "joined the network", { relayCount: client.relays().length });
    const { level, sentences } = describePrivacy(client.relays(), network, options.profile);
    if (level !== "fair") hooks.warn(sentences[0] ?? "");
    return client;
  }

  /** What paths are picked from, this member's own relay aside. */
  relays(): RelayInfo[] {
    return this.table.forPaths().filter((relay) => relay.key !== this.#ownKey);
  }

  /** This computer relays, too, from now on: `key` is that relay's node key in hex. */
  noteOwnRelay(key: string): void {
    this.#ownKey = key;
  }

  /** This member's guards, which links must not name. */
  guards(): readonly RelayInfo[] {
    return this.#circuits.guards();
  }

  /** The circuits that live now, without anything that says who or where. */
  pictures(): CircuitPicture[] {
    return this.#circuits.pictures();
  }

  /** The neighbours' clocks minus ours, in milliseconds; undefined where nobody was heard. */
  clockSkewMs(): number | undefined {
    return this.#clockCheck.skewMs();
  }

  /**
   * A circuit for that purpose; relays in `avoid` (node keys in hex) are left out. Of this member's profile where none is given. Raises
   * E_NETWORK_TOO_SMALL, E_CIRCUIT and their kin.
   */
  open(
    want: CircuitRole,
    avoid: ReadonlySet<string> = new Set(),
    profile: Profile = this.#options.profile,
  ): Promise<{ circuit: Circuit; path: RelayInfo[] }> {
    return this.#circuits.open(want, avoid, profile);
  }

  /** Whether the relay (node key in hex) did not answer this member within the last minute, in whatever part. */
  isAway(key: string): boolean {
    return this.#circuits.isAway(key);
  }

  /** Asks for relays once more, where none is known any more: this computer was off for longer than relay infos hold. Raises as `open`. */
  async rejoin(hooks: Hooks): Promise<void> {
    await this.#join(hooks);
    await saveTable(this.#options.folder, this.network, this.table);
  }

  /** A relay info out of a lease or an answer: of this network, of today, dialable. Raises E_RELAY_INFO. */
  vet(bytes: Uint8Array): RelayInfo {
    const info = this.decodeInfo(bytes);
    if (isGuest(info) || !isAcceptable(info, this.network, this.machine.clock.nowMs())) {
      throw new BackroomError("E_RELAY_INFO", "a relay info is of another network or day, or not dialable");
    }
    return info;
  }

  /** Whether more than one source has named the relay at its addresses, or this member has reached it. */
  vouchesFor(info: RelayInfo): boolean {
    return this.table.has(info);
  }

  /** Everything ends at once; fulfilled when what is kept of guards and measurements is on disk. */
  close(): Promise<void> {
    this.#stopRefreshing();
    this.#circuits.close();
    this.#channels.close();
    return this.#store.close();
  }

  async #join(hooks: Hooks): Promise<void> {
    const { network, joinRelays, log, folder, lan = false } = this.#options;
    const { table, machine, decodeInfo } = this;
    const guards = this.#store.guards.joinRelays();
    const isOther = ({ nodeKey }: JoinRelay): boolean => nodeKey.toString("hex") !== this.#ownKey;
    const cached = (await cachedRelays(folder, network, machine)).filter(isOther);
    const finders = [
      ...((await lanInUse(folder, lan)) ? [lanFinder(network, machine, hooks)] : []),
      dhtFinder({ network, machine, channels: this.#channels, log, cached }, hooks),
    ];
    const isInviteNew = await hasNewInvite(folder, network);
    const parts = { channels: this.#channels, guards, cached, isInviteNew, joinRelays, finders };
    const clockCheck = this.#clockCheck;
    await joinNetworkThrough({ network, table, machine, decodeInfo, log, clockCheck, ...parts }, hooks);
  }
}
