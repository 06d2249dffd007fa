import { silentLog } from "../../packages/core/src/base/log.ts";
import { ChannelPool } from "../../packages/core/src/circuit/channel-pool.ts";
import { createRelay } from "../../packages/core/src/circuit/relay.ts";
import { keysFromSecret, type KeyPair } from "../../packages/core/src/crypto/keys.ts";
import { createExtendResolver } from "../../packages/core/src/directory/acceptable.ts";
import { bootstrap } from "../../packages/core/src/directory/bootstrap.ts";
import { createClockCheck } from "../../packages/core/src/directory/clock-check.ts";
import {
  createDirectoryClient,
  createRelayAsker,
} from "../../packages/core/src/directory/directory-client.ts";
import { createGossip } from "../../packages/core/src/directory/gossip.ts";
import type { Network } from "../../packages/core/src/directory/network.ts";
import {
  signRelayInfo,
  type RelayInfo,
  type RelayInfoDecoder,
} from "../../packages/core/src/directory/relay-info.ts";
import { StrangerDials } from "../../packages/core/src/directory/stranger-dials.ts";
import { RelayTable } from "../../packages/core/src/directory/table.ts";
import type { JoinRelay } from "../../packages/core/src/link/join-relay.ts";
import { relayServices, type RelayServices } from "../../packages/core/src/node/relay-services.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { TownDht } from "./town-dht.ts";
import type { Traffic } from "./traffic.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What all members of a simulated network share. */
export interface Ground {
  readonly time: VirtualTime;
  readonly traffic: Traffic;
  readonly dht: TownDht;
  readonly network: Network;
  /** One for all: verifying is the same for everybody, and what it costs is counted elsewhere. */
  readonly decodeInfo: RelayInfoDecoder;
}

export const TOWN_PORT = 9001;
const SIGN_AGAIN_MS = 3_600_000;

type Handlers = RelayServices["handlers"];

/** A relay with everything that `node/running-relay` gives it, over memory: circuits, directory, scout, gate, gossip. */
export class TownRelay {
  readonly host: string;
  readonly keys: KeyPair;
  readonly table: RelayTable;
  /** May change what it offers, as a hostile relay would. */
  alter: ((handlers: Handlers) => void) | undefined;
  readonly isGate: boolean;
  readonly #ground: Ground;
  readonly #random: SeededRandom;
  readonly #onion: KeyPair;
  #signed: { readonly atMs: number; readonly bytes: Buffer } | undefined;
  #stop: (() => void) | undefined;

  constructor(ground: Ground, options: { host: string; isGate: boolean }, random: SeededRandom) {
    this.#ground = ground;
    this.#random = random;
    this.host = options.host;
    this.isGate = options.isGate;
    this.keys = keysFromSecret("ed25519", random.bytes(32));
    this.#onion = keysFromSecret("x25519", random.bytes(32));
    this.table = new RelayTable({ network: ground.network, clock: ground.time, random });
  }

  get isUp(): boolean {
    return this.#stop !== undefined;
  }

  get key(): string {
    return this.keys.publicBytes.toString("hex");
  }

  get joinRelay(): JoinRelay {
    return { nodeKey: this.keys.publicBytes, host: this.host, port: TOWN_PORT };
  }

  info(): RelayInfo {
    return this.#ground.decodeInfo(this.#bytes());
  }

  start(): void {
    if (this.#stop !== undefined) return;
    const { time, traffic, network, decodeInfo } = this.#ground;
    const random = this.#random;
    const common = { clock: time, random };
    const identity = { nodeKeys: this.keys, info: () => this.#bytes() };
    const asking = traffic.createDialer("gossip", { networkId: network.id });
    const channels = new ChannelPool({ dialer: asking, clock: time });
    const askRelay = createRelayAsker({ channels, clock: time });
    const dials = new StrangerDials({ clock: time, network });
    const handlers: Handlers = {};
    const nodeKey = this.keys.publicBytes;
    const { table } = this;
    const relay = createRelay({
      nodeKey,
      onionKeys: () => [this.#onion],
      dialer: traffic.createDialer("circuits", { networkId: network.id, identity }),
      clock: time,
      services: handlers,
      isRelay: (key) => table.get(key.toString("hex")) !== undefined,
      resolveExtend: createExtendResolver({
        network,
        clock: time,
        decodeInfo,
        isKnown: (info) => table.has(info),
        dials,
      }),
    });
    const endpoint = { host: this.host, port: TOWN_PORT };
    const listener = traffic.wires.listen({ networkId: network.id, identity, endpoint }, (channel) =>
      relay.accept(channel),
    );
    const dht = this.#ground.dht.join(endpoint);
    const services = relayServices({
      machine: common,
      network,
      table,
      decodeInfo,
      nodeKey,
      dialer: asking,
      askRelay,
      dht,
      gate: this.isGate,
      takeGuest: () => false,
      dials,
    });
    Object.assign(handlers, services.handlers);
    this.alter?.(handlers);
    const gossip = createGossip({
      table,
      network,
      decodeInfo,
      askRelay,
      ownInfo: () => this.#bytes(),
      log: silentLog,
      ...common,
      seek: async () => {
        const relays = network.relays.filter((one) => !one.nodeKey.equals(nodeKey));
        const connect = createDirectoryClient({ channels, clock: time, decodeInfo });
        const deps = { table, network, decodeInfo, connect, clockCheck: createClockCheck(), log: silentLog };
        await bootstrap({ relays, acceptFewSources: true }, { ...deps, ...common });
      },
    });
    gossip.start();
    this.#stop = () => {
      gossip.stop();
      services.close();
      relay.close();
      channels.close();
      void Promise.all([listener.close(), dht.close()]);
    };
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #bytes(): Buffer {
    const nowMs = this.#ground.time.nowMs();
    if (this.#signed !== undefined && nowMs - this.#signed.atMs < SIGN_AGAIN_MS) return this.#signed.bytes;
    const fields = {
      networkId: this.#ground.network.id,
      onionKey: this.#onion.publicBytes,
      endpoints: [{ host: this.host, port: TOWN_PORT }],
      bandwidthKiB: 4096,
      gate: this.isGate,
      scout: true,
      timeS: Math.floor(nowMs / 1000),
    };
    this.#signed = { atMs: nowMs, bytes: signRelayInfo(fields, this.keys) };
    return this.#signed.bytes;
  }
}
