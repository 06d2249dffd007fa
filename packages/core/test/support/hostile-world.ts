import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { silentLog, type Log } from "../../src/base/log.ts";
import { systemRandom, type Random } from "../../src/base/random.ts";
import { ChannelPool } from "../../src/circuit/channel-pool.ts";
import { createRelay, type Relay } from "../../src/circuit/relay.ts";
import type { Service, ServiceHandler } from "../../src/circuit/stream.ts";
import { generateKeys, type KeyPair } from "../../src/crypto/keys.ts";
import { createExtendResolver } from "../../src/directory/acceptable.ts";
import { createRelayAsker } from "../../src/directory/directory-client.ts";
import type { Network } from "../../src/directory/network.ts";
import {
  createRelayInfoDecoder,
  decodeRelayInfo,
  signRelayInfo,
  type RelayInfo,
} from "../../src/directory/relay-info.ts";
import { StrangerDials } from "../../src/directory/stranger-dials.ts";
import { PROVEN, RelayTable } from "../../src/directory/table.ts";
import type { Dialer } from "../../src/net/channel.ts";
import { MemoryDht } from "../../src/net/dht/memory-dht.ts";
import { createMemoryNetwork } from "../../src/net/memory-channel.ts";
import { Client } from "../../src/node/client.ts";
import { openDataFolder } from "../../src/node/data-folder.ts";
import { Fetching } from "../../src/node/fetching.ts";
import type { Hooks } from "../../src/node/hooks.ts";
import type { Machine } from "../../src/node/machine.ts";
import { joinRelayOf } from "../../src/directory/network.ts";
import { PathStore } from "../../src/node/path-store.ts";
import { relayServices } from "../../src/node/relay-services.ts";
import { Swarming } from "../../src/node/swarming.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { publicHost } from "../directory/fixtures.ts";
import { samplePack, storeOf, type SamplePack } from "../swarm/fixtures.ts";
import { newShare, type TestShare } from "../tunnel/fixtures.ts";
import { scripted, scriptedDialer, type FrameScript } from "./hostile-frames.ts";
import { Watch } from "./hostile-watch.ts";
import { ManualClock } from "./manual-clock.ts";

export type Handlers = Partial<Record<Service, ServiceHandler>>;

/** What makes a relay of the world a hostile one: scripts around an honest relay. */
export interface Script {
  readonly frames?: FrameScript;
  readonly services?: (honest: Handlers, self: WorldRelay, world: HostileWorld) => Handlers;
}

export interface RelayPlan {
  readonly gate?: boolean;
  readonly scout?: boolean;
  readonly bandwidthKiB?: number;
}

export interface WorldRelay {
  readonly name: string;
  readonly keys: KeyPair;
  readonly onionKeys: KeyPair;
  readonly info: RelayInfo;
  readonly relay: Relay;
  readonly table: RelayTable;
  /** Dials under its own name, past its script. */
  readonly dialer: Dialer;
}

const NETWORK: Network = { name: "hostile", id: 7, test: false, relays: [], bootstrap: [] };
/** As much as counts of a claim. */
const HONEST_KIB = 1_000;
/** Whole and exact: sums of fractions would let a timer be due for ever. */
const STEP_MS = 16;
const MOST_STEP_MS = 512;
/** Turns of the event loop without a frame after which time has to pass for anything to happen. */
const QUIET_TURNS = 12;

/** `dg` and `sg` are guards of the downloader and of the seeder, by the files that these start with. */
export const USUAL: Readonly<Record<string, RelayPlan>> = {
  dg1: {},
  dg2: {},
  dg3: {},
  sg1: {},
  sg2: {},
  sg3: {},
  gate1: { gate: true },
  gate2: { gate: true },
  gate3: { gate: true },
  scout1: { scout: true },
  scout2: { scout: true },
  scout3: { scout: true },
};

/** The same with relays that are neither guards nor gates nor scouts, and claim more, which wins them nothing. */
export const WITH_MIDDLES: Readonly<Record<string, RelayPlan>> = {
  ...USUAL,
  mid1: { bandwidthKiB: 4 * HONEST_KIB },
  mid2: { bandwidthKiB: 4 * HONEST_KIB },
  mid3: { bandwidthKiB: 4 * HONEST_KIB },
};

/**
 * A whole network in one process: relays, a seeder and downloaders, each as the program puts it together, over memory carriers and a clock
 * that moves only when nothing else does. Some relays are hostile.
 */
export class HostileWorld {
  readonly clock = new ManualClock();
  readonly watch = new Watch();
  readonly wires = createMemoryNetwork({ clock: this.clock, random: systemRandom });
  readonly dht = new MemoryDht();
  readonly relays = new Map<string, WorldRelay>();
  readonly share: TestShare = newShare();
  readonly pack: SamplePack;
  /** The most DATA frames that waited at one honest relay. */
  mostQueuedBytes = 0;
  readonly #random: Random;
  readonly #hostile: Readonly<Record<string, Script>>;
  readonly #closers: (() => void)[] = [];
  readonly #folders: string[] = [];

  constructor(options: {
    readonly plans?: Readonly<Record<string, RelayPlan>>;
    readonly hostile: Readonly<Record<string, Script>>;
    readonly packBytes?: number;
    readonly random?: Random;
  }) {
    this.#hostile = options.hostile;
    this.#random = options.random ?? systemRandom;
    this.pack = samplePack(options.packBytes ?? 2 * 1024 * 1024);
    const plans = Object.entries(options.plans ?? USUAL);
    for (const [index, [name, plan]] of plans.entries()) this.#startRelay(name, index, plan);
    const infos = [...this.relays.values()].map(({ info }) => info);
    for (const { table } of this.relays.values()) for (const info of infos) table.add(info, PROVEN);
  }

  relay(name: string): WorldRelay {
    const found = this.relays.get(name);
    assert.ok(found !== undefined, `no relay ${name}`);
    return found;
  }

  isHostile(name: string): boolean {
    return this.#hostile[name] !== undefined;
  }

  /** A member that has these guards, in this order, and joins through them. */
  async member(name: string, guards: readonly string[], profile: "standard" | "strong" = "standard") {
    const root = await mkdtemp(path.join(tmpdir(), "backroom-hostile-"));
    this.#folders.push(root);
    const folder = await openDataFolder(root);
    const log = this.logOf(name);
    const kept = await PathStore.open(folder, NETWORK, { ...this.machine(name), log });
    const infos = guards.map((guard) => this.relay(guard).info);
    for (let count = 1; count <= infos.length; count++) kept.guards.among(infos.slice(0, count));
    await kept.save();
    const joinRelays = infos.map(joinRelayOf);
    const options = {
      folder,
      network: NETWORK,
      joinRelays,
      profile,
      log,
      machine: this.machine(name),
      proxy: undefined,
    };
    const client = await this.run(Client.open(options, this.#hooks()), 60_000);
    this.#closers.push(() => void client.close());
    return client;
  }

  machine(name: string): Machine {
    return {
      clock: this.clock,
      random: this.#random,
      createDialer: (options) => this.watch.dialer(name, this.wires.createDialer(options)),
    };
  }

  logOf(name: string): Log {
    return (_level, event, fields) => {
      if (fields?.code !== undefined) this.watch.note(name, "", `${event}: ${fields.code}`);
      else if (event.includes("is waited for")) this.watch.note(name, "", event);
    };
  }

  /** Hands the pack out, with the sharer's key or, as a mirror, without. */
  async seed(
    name: string,
    guards: readonly string[],
    options: { readonly isSharer?: boolean; readonly gates?: number | undefined } = {},
  ) {
    const client = await this.member(name, guards);
    const sharerKeys = options.isSharer === false ? undefined : this.share.sharerKeys;
    const store = await storeOf(this.pack);
    const swarming = new Swarming({ client, topic: this.share, store, sharerKeys, notGates: new Set() });
    this.#closers.push(() => swarming.close());
    const { gates = 2 } = options;
    await this.until(() => swarming.gateCount >= gates, 300_000, `${name} is not at ${gates} gates`);
    return { client, swarming };
  }

  /** Fetches the pack as a new member; raises what the download raises, or that it hangs. */
  async download(name: string, guards: readonly string[], withinMs = 600_000) {
    const member = await this.member(name, guards);
    const before = { circuits: this.watch.circuits(name), dials: this.watch.dials(name) };
    const client = {
      open: member.open.bind(member),
      vet: member.vet.bind(member),
      decodeInfo: member.decodeInfo,
      vouchesFor: member.vouchesFor.bind(member),
      isAway: member.isAway.bind(member),
      machine: member.machine,
    };
    const complete = Promise.withResolvers<void>();
    const store = new MemoryStore(this.pack.info);
    const swarming = new Swarming(
      { client, topic: this.share, store, sharerKeys: undefined, notGates: new Set() },
      { onComplete: () => complete.resolve() },
    );
    const done = new AbortController();
    const fetching = new Fetching({ client, swarming, log: this.logOf(name), signal: done.signal });
    const startedMs = this.clock.monotonicMs();
    try {
      const supply = fetching.run(done.signal).then(() => complete.promise);
      await this.run(Promise.race([complete.promise, supply]), withinMs);
    } finally {
      done.abort();
      swarming.close();
    }
    const arrived = await store.read(0, this.pack.info.length);
    assert.ok(arrived.equals(this.pack.bytes), "what arrived is not what was shared");
    return {
      seconds: (this.clock.monotonicMs() - startedMs) / 1000,
      circuits: this.watch.circuits(name) - before.circuits,
      dials: this.watch.dials(name) - before.dials,
      wastedKiB: swarming.swarm.stats().wastedBytes / 1024,
    };
  }

  /** Lets the world go on until `work` is done; time passes only while nothing is under way. */
  async run<T>(work: Promise<T>, withinMs: number): Promise<T> {
    let over = false;
    const ended = (): void => void (over = true);
    work.then(ended, ended);
    await this.until(() => over, withinMs, "it hangs");
    return work;
  }

  async until(done: () => boolean, withinMs: number, what: string): Promise<void> {
    const endMs = this.clock.monotonicMs() + withinMs;
    for (let stepMs = STEP_MS; !done();) {
      const moved = await this.#settle(done);
      if (done()) return;
      assert.ok(this.clock.monotonicMs() < endMs, what);
      stepMs = moved ? STEP_MS : Math.min(stepMs * 2, MOST_STEP_MS);
      this.clock.advance(stepMs);
    }
  }

  /** Bytes that the fullest honest relay held at its worst moment. */
  get mostHeldBytes(): number {
    return this.mostQueuedBytes;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) close();
    for (const { relay } of this.relays.values()) relay.close();
    // Members save what they keep as they leave.
    await this.#settle(() => false);
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #settle(done: () => boolean): Promise<boolean> {
    const { frames } = this.watch;
    let last = frames;
    for (let quiet = 0; quiet < QUIET_TURNS && !done(); quiet++) {
      await nextTurn();
      for (const { name, relay } of this.relays.values()) {
        if (!this.isHostile(name))
          this.mostQueuedBytes = Math.max(this.mostQueuedBytes, relay.stats().queuedBytes);
      }
      if (this.watch.frames !== last || waitsForDisk()) quiet = -1;
      last = this.watch.frames;
    }
    return this.watch.frames !== frames;
  }

  #hooks(): Hooks {
    return {
      progress() {},
      note() {},
      warn() {},
      status() {},
      event() {},
      log: silentLog,
      confirm: () => Promise.resolve(false),
    };
  }

  #startRelay(name: string, index: number, plan: RelayPlan): void {
    const script = this.#hostile[name];
    const [keys, onionKeys] = [generateKeys("ed25519"), generateKeys("x25519")];
    const endpoint = { host: publicHost(index * 200 + index), port: 9001 };
    const bytes = signRelayInfo(
      {
        networkId: NETWORK.id,
        onionKey: onionKeys.publicBytes,
        endpoints: [endpoint],
        bandwidthKiB: plan.bandwidthKiB ?? HONEST_KIB,
        gate: plan.gate ?? false,
        scout: plan.scout ?? false,
        timeS: Math.floor(this.clock.nowMs() / 1000),
      },
      keys,
    );
    const info = decodeRelayInfo(bytes);
    const identity = { nodeKeys: keys, info: () => bytes };
    const { clock, watch } = this;
    watch.name(info.nodeKey, name);
    const wires = this.wires.createDialer({ networkId: NETWORK.id, identity });
    const nameOf = (key: Uint8Array | undefined): string => watch.nameOf(key);
    const frames = script?.frames;
    const dialer = frames === undefined ? watch.dialer(name, wires) : scriptedDialer(wires, nameOf, frames);
    const asking = this.wires.createDialer({ networkId: NETWORK.id });
    const channels = new ChannelPool({ dialer: asking, clock });
    const table = new RelayTable({ network: NETWORK, clock, random: this.#random });
    const decodeInfo = createRelayInfoDecoder();
    const handlers: Handlers = {};
    const dials = new StrangerDials({ clock, network: NETWORK });
    const isKnown = (other: RelayInfo): boolean => table.get(other.key) !== undefined;
    const relay = createRelay({
      nodeKey: info.nodeKey,
      onionKeys: () => [onionKeys],
      dialer,
      clock,
      services: handlers,
      isRelay: (key) => table.get(key.toString("hex")) !== undefined,
      resolveExtend: createExtendResolver({ network: NETWORK, clock, decodeInfo, dials, isKnown }),
    });
    const self: WorldRelay = { name, keys, onionKeys, info, relay, table, dialer: wires };
    const services = relayServices({
      machine: this.machine(name),
      network: NETWORK,
      table,
      decodeInfo,
      nodeKey: info.nodeKey,
      dialer: asking,
      askRelay: createRelayAsker({ channels, clock }),
      dht: this.dht.join(endpoint.host, endpoint.port),
      gate: plan.gate ?? false,
      takeGuest: () => false,
      dials,
    });
    Object.assign(handlers, script?.services?.(services.handlers, self, this) ?? services.handlers);
    this.wires.listen({ networkId: NETWORK.id, identity, endpoint }, (channel) =>
      relay.accept(
        frames === undefined
          ? watch.channel(name, channel)
          : scripted(channel, nameOf(channel.peerKey), frames),
      ),
    );
    this.#closers.push(() => {
      services.close();
      channels.close();
    });
    this.relays.set(name, self);
  }
}

/** The disk takes time that the world's clock does not know of. */
function waitsForDisk(): boolean {
  return process.getActiveResourcesInfo().some((name) => /req/i.test(name));
}

export const DOWNLOADERS_GUARDS = ["dg1", "dg2", "dg3"];
export const SEEDERS_GUARDS = ["sg1", "sg2", "sg3"];
