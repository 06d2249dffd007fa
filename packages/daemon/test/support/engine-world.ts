import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ApiEvent, EventData } from "@backroom/api/schemas/event.ts";
import type { Transfer, TransferState } from "@backroom/api/schemas/transfer.ts";
import { systemClock } from "@backroom/core/base/clock.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { ChannelPool } from "@backroom/core/circuit/channel-pool.ts";
import { createRelay } from "@backroom/core/circuit/relay.ts";
import { generateKeys } from "@backroom/core/crypto/keys.ts";
import { createExtendResolver } from "@backroom/core/directory/acceptable.ts";
import { createRelayAsker } from "@backroom/core/directory/directory-client.ts";
import type { Network } from "@backroom/core/directory/network.ts";
import {
  createRelayInfoDecoder,
  decodeRelayInfo,
  signRelayInfo,
} from "@backroom/core/directory/relay-info.ts";
import { StrangerDials } from "@backroom/core/directory/stranger-dials.ts";
import { RelayTable } from "@backroom/core/directory/table.ts";
import { MemoryDht } from "@backroom/core/net/dht/memory-dht.ts";
import { createMemoryNetwork } from "@backroom/core/net/memory-channel.ts";
import { Client } from "@backroom/core/node/client.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import type { Machine } from "@backroom/core/node/machine.ts";
import { saveNetwork, writeCurrent } from "@backroom/core/node/networks.ts";
import { relayServices } from "@backroom/core/node/relay-services.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { createEngine, type Engine } from "../../src/engine/engine.ts";
import type { OpenClient } from "../../src/engine/members.ts";
import type { Settings, SettingValues } from "../../src/settings/settings.ts";
import { callContext } from "./call-context.ts";
import { memoryCatalogue } from "./memory-catalogue.ts";

export const RELAYS = 6;
export const CONTEXT = callContext();
const network = { name: "test", id: 7, test: true, bootstrap: [] };
/** Nothing that is tested takes longer, however slow the machine. */
const PATIENCE_MS = 60_000;

/** Relays over carriers in memory that know each other and a DHT, and daemons' engines that join through them as they would over the internet. */
export function newEngineWorld(folder: string) {
  const clock = systemClock;
  const wires = createMemoryNetwork({ clock, random: systemRandom });
  const dht = new MemoryDht();
  const machine: Machine = {
    clock,
    random: systemRandom,
    createDialer: (options) => wires.createDialer(options),
  };
  const closers: (() => void | Promise<void>)[] = [];
  const relays = Array.from({ length: RELAYS }, (_, number) => newRelay(9001 + number));
  for (const { table } of relays) for (const { info } of relays) table.add(info, "test");
  const joinRelays = relays.map(({ info }) => ({
    nodeKey: info.nodeKey,
    host: "127.0.0.1",
    port: portOf(info),
  }));
  const known: Network = { ...network, relays: joinRelays };

  function newRelay(port: number) {
    const nodeKeys = generateKeys("ed25519");
    const onion = generateKeys("x25519");
    const endpoint = { host: "127.0.0.1", port };
    const bytes = signRelayInfo(
      {
        networkId: network.id,
        onionKey: onion.publicBytes,
        endpoints: [endpoint],
        bandwidthKiB: 1000,
        gate: true,
        scout: true,
        timeS: Math.floor(clock.nowMs() / 1000),
      },
      nodeKeys,
    );
    const identity = { nodeKeys, info: () => bytes };
    const here = { ...network, relays: [] };
    const table = new RelayTable({ network: here, clock, random: systemRandom });
    const decodeInfo = createRelayInfoDecoder();
    const asking = wires.createDialer({ networkId: network.id });
    const channels = new ChannelPool({ dialer: asking, clock, log: silentLog });
    const dials = new StrangerDials({ clock, network });
    const services = relayServices({
      machine,
      network: here,
      table,
      decodeInfo,
      nodeKey: nodeKeys.publicBytes,
      dialer: asking,
      askRelay: createRelayAsker({ channels, clock }),
      dht: dht.join(endpoint.host, port),
      gate: true,
      takeGuest: () => false,
      dials,
    });
    const relay = createRelay({
      nodeKey: nodeKeys.publicBytes,
      onionKeys: () => [onion],
      dialer: wires.createDialer({ networkId: network.id, identity }),
      clock,
      services: services.handlers,
      isRelay: (key) => table.get(key.toString("hex")) !== undefined,
      resolveExtend: createExtendResolver({
        network,
        clock,
        decodeInfo,
        isKnown: (info) => table.has(info),
        dials,
      }),
    });
    const listener = wires.listen({ networkId: network.id, identity, endpoint }, (channel) =>
      relay.accept(channel),
    );
    closers.push(async () => {
      services.close();
      relay.close();
      channels.close();
      await listener.close();
    });
    return { info: decodeRelayInfo(bytes), table };
  }

  /** A daemon's engine with its data folder `name`; with the catalogue of one before it, it is that one after a restart. */
  async function newEngine(
    name: string,
    options: {
      readonly catalogue?: Catalogue;
      readonly settings?: Partial<SettingValues>;
      readonly openClient?: OpenClient;
    } = {},
  ) {
    const data = await openDataFolder(path.join(folder, name));
    await saveNetwork(data, known);
    await writeCurrent(data, network.id);
    const catalogue = options.catalogue ?? memoryCatalogue();
    const downloads = path.join(folder, `${name}-files`);
    const settings = settingsOf({
      "downloads.folder": downloads,
      "downloads.active": 3,
      ...options.settings,
    });
    const events: ApiEvent[] = [];
    const listeners = new Set<() => void>();
    const publish = (event: ApiEvent): void => {
      events.push(event);
      for (const listener of listeners) listener();
    };
    const context = {
      folder: data,
      catalogue,
      settings,
      machine,
      events: { publish, isFollowed: true },
      log: silentLog,
    };
    const openClient: OpenClient =
      options.openClient ?? ((client, hooks) => Client.open({ ...client, machine }, hooks));
    const engine = await createEngine(context, { openClient });
    closers.push(() => engine.close());

    /** Resolves with the transfer once `fits`; fails with what it is instead after a long time. */
    async function until(id: string, fits: (transfer: Transfer) => boolean): Promise<Transfer> {
      const { promise, resolve, reject } = Promise.withResolvers<Transfer>();
      const look = (): void => {
        void engine.handlers.getTransfer({ id }, CONTEXT).then((now) => {
          if (fits(now)) resolve(now);
        }, reject);
      };
      const late = setTimeout(() => {
        void engine.handlers
          .getTransfer({ id }, CONTEXT)
          .then((now) => reject(new Error(`it is still ${JSON.stringify(now)}`)), reject);
      }, PATIENCE_MS);
      const often = setInterval(look, 50);
      listeners.add(look);
      look();
      try {
        return await promise;
      } finally {
        clearTimeout(late);
        clearInterval(often);
        listeners.delete(look);
      }
    }

    const reach = (id: string, ...states: readonly TransferState[]): Promise<Transfer> =>
      until(id, (now) => {
        if (now.state === "failed" && !states.includes("failed")) {
          throw new Error(`it failed: ${JSON.stringify(now.failure)}`);
        }
        return states.includes(now.state);
      });

    /** Shares files and waits until they can be found. */
    async function share(
      paths: readonly string[],
      more: Partial<Parameters<Engine["handlers"]["addShare"]>[0]> = {},
    ) {
      const { id } = await engine.handlers.addShare(
        { profile: "standard", accept: [], paths: [...paths], ...more },
        CONTEXT,
      );
      await until(id, ({ gateCount, state, failure }) => {
        if (state === "failed") throw new Error(`it failed: ${JSON.stringify(failure)}`);
        return gateCount > 0;
      });
      const { link, lockedLink } = await engine.handlers.links({ id }, CONTEXT);
      return { id, link, lockedLink };
    }

    async function get(link: string, more: Partial<Parameters<Engine["handlers"]["addGet"]>[0]> = {}) {
      const wishes = { mirror: false, seed: false, wait: false, profile: "standard" as const, accept: [] };
      return engine.handlers.addGet({ link, ...wishes, ...more }, CONTEXT);
    }

    const notices = (): EventData<"notice">[] =>
      events.flatMap((event) => (event.name === "notice" ? [event.data] : []));
    return {
      ...engine,
      engine,
      catalogue,
      data,
      downloads,
      events,
      settings,
      until,
      reach,
      share,
      get,
      notices,
    };
  }

  return {
    relays,
    known,
    machine,
    newEngine,
    /** A file whose bytes no compression shrinks. */
    async makeFile(name: string, length: number): Promise<string> {
      const file = path.join(folder, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, randomBytes(length));
      return file;
    },
    async close(): Promise<void> {
      for (const run of closers.toReversed()) await run();
    },
  };
}

export type EngineWorld = ReturnType<typeof newEngineWorld>;
export type TestEngine = Awaited<ReturnType<EngineWorld["newEngine"]>>;

function portOf({ endpoints }: { readonly endpoints: readonly { readonly port: number }[] }): number {
  return endpoints[0]?.port ?? 0;
}

/** Settings that are what the test says, and change when it does. */
function settingsOf(
  values: Partial<SettingValues>,
): Settings & { put(change: Partial<SettingValues>): void } {
  const listeners: ((key: keyof SettingValues) => void)[] = [];
  const now: Partial<SettingValues> = { "network.proxy": null, "network.lan": false, ...values };
  return {
    file: "",
    get: (key) => now[key] as never,
    entries: () => [],
    problems: () => [],
    set: () => Promise.reject(new Error("not here")),
    onChange: (listener) => void listeners.push(listener),
    put: (change) => {
      Object.assign(now, change);
      for (const key of Object.keys(change))
        for (const listener of listeners) listener(key as keyof SettingValues);
    },
  };
}
