import path from "node:path";
import { systemClock } from "../base/clock.ts";
import { codeOf, isBackroomError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import type { RateLimit } from "../base/rate-limit.ts";
import { ChannelPool } from "../circuit/channel-pool.ts";
import { createRelay } from "../circuit/relay.ts";
import { createExtendResolver } from "../directory/acceptable.ts";
import { createDirectoryClient, createRelayAsker } from "../directory/directory-client.ts";
import { createGossip } from "../directory/gossip.ts";
import { joinRelayOf, type Network } from "../directory/network.ts";
import { createRelayInfoDecoder, isGuest } from "../directory/relay-info.ts";
import { StrangerDials } from "../directory/stranger-dials.ts";
import type { RelayTable } from "../directory/table.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import { createPortMapper } from "../net/port-mapping/port-mapper.ts";
import { createTlsDialer } from "../net/tls-dialer.ts";
import { listenTls } from "../net/tls-listener.ts";
import { acquireLock } from "../store/lock.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import type { DenyList } from "../tunnel/deny-list.ts";
import { whenAborted } from "./aborted.ts";
import { openDataFolder, type DataFolder } from "./data-folder.ts";
import { readDenyList } from "./deny-file.ts";
import type { Hooks } from "./hooks.ts";
import { Hosting } from "./hosting.ts";
import { watchLoopLag } from "./loop-lag.ts";
import { currentNetwork, inviteTo } from "./networks.ts";
import { interfaceAddresses, ownAddresses } from "./own-addresses.ts";
import { OwnInfo } from "./own-info.ts";
import { lanInUse } from "./lan-setting.ts";
import { systemMachine } from "./machine.ts";
import { assertNoProxy } from "./proxy-setting.ts";
import { PublicSide } from "./public-side.ts";
import { ReachWatch } from "./reach-watch.ts";
import { createRelayJoining } from "./relay-joining.ts";
import { PortLease } from "./port-lease.ts";
import { openRelayKeys } from "./relay-keys.ts";
import { reportRelay } from "./relay-report.ts";
import type { RelayServices } from "./relay-services.ts";
import { cachedRelays, openTable, saveTable } from "./saved-table.ts";
import { Standing } from "./standing.ts";

const SAVE_TABLE_MS = 5 * 60_000;
const LOOK_AT_TABLE_MS = 200;
const PORTS_TRIED = 5;
const INVITE_RELAYS = 3;
/** A test network's members all live at a few addresses. */
const TEST_CHANNELS_PER_ADDRESS = 4096;

export interface RelayOptions {
  readonly dataFolder: string | undefined;
  /** As in `ClientOptions`: with one there is no relay. */
  readonly proxy: string | undefined;
  /** Answer members on the local network who look for relays; otherwise as the setting says. */
  readonly lan: boolean;
  /** IP addresses under which others reach this relay; its own where undefined. Not asked for when it finds out for itself. */
  readonly hosts: readonly string[] | undefined;
  /**
   * Asks other relays whether it can be reached, has the router hand on its port, and helps as a guest where it cannot. Otherwise it takes its
   * addresses for reachable, and says so to others, who check that before they pass it on.
   */
  readonly findOut: boolean;
  /** TCP for TLS, UDP for the DHT; 0 takes a free one. */
  readonly port: number;
  readonly gate: boolean;
  /** Of what it passes on; may change while it runs. Absent: as fast as it goes. */
  readonly limit?: RateLimit | undefined;
  readonly signal: AbortSignal;
  /** Called once it is known whether others reach this relay. */
  readonly onReady: (relay: RunningRelay) => void;
}

export interface RunningRelay {
  readonly port: number;
  readonly nodeKey: string;
  readonly networkName: string;
  /** Whether others dial it. Where not, it carries circuits over the channels that its hosts keep. */
  readonly reachable: boolean;
  readonly hostCount: number;
  /** An invite that names this relay, if it can be reached, and some others that it knows. Raises E_NO_RELAYS. */
  invite(): string;
  stats(): {
    readonly relaysKnown: number;
    readonly circuits: number;
    readonly bytesCarried: number;
    /** Whose channels it keeps. */
    readonly guests: number;
  };
}

/**
 * Runs a relay of the network in use until `signal` is aborted. Raises E_NO_NETWORK, E_LOCKED, E_PORT_IN_USE, E_LISTEN, E_STORE, E_DENY_LIST, E_PROXY
 * where a proxy is in use, and, where it does not find out for itself, E_NO_ADDRESS where no address is given and this computer has none.
 */
export async function runRelay(options: RelayOptions, hooks: Hooks): Promise<void> {
  const folder = await openDataFolder(options.dataFolder);
  await assertNoProxy(folder, options.proxy);
  const network = await currentNetwork(folder);
  const hosts = options.findOut ? undefined : (options.hosts ?? ownAddresses(network.test));
  const lock = await acquireLock(path.join(folder.relay, "lock"));
  try {
    const keys = await openRelayKeys(folder, systemClock);
    const { port, gate, limit } = options;
    const own = new OwnInfo(keys, { networkId: network.id, gate, limit });
    const table = await openTable(folder, network);
    const lan = await lanInUse(folder, options.lan);
    const cached = await cachedRelays(folder, network);
    const denied = await readDenyList(folder);
    const parts = { folder, network, own, table, cached, hosts, port, gate, denied, lan, limit, hooks };
    const running = await startOnFreePort(parts);
    try {
      await Promise.race([running.settled, whenAborted(options.signal)]);
      if (!options.signal.aborted) options.onReady(running.relay);
      await whenAborted(options.signal);
    } finally {
      await running.close();
    }
  } finally {
    await lock.release();
  }
}

interface Parts {
  readonly folder: DataFolder;
  readonly network: Network;
  readonly own: OwnInfo;
  readonly table: RelayTable;
  /** Known from earlier runs. */
  readonly cached: readonly JoinRelay[];
  /** Undefined where it finds out for itself. */
  readonly hosts: readonly string[] | undefined;
  readonly port: number;
  readonly gate: boolean;
  readonly denied: DenyList;
  readonly lan: boolean;
  readonly limit: RateLimit | undefined;
  readonly hooks: Hooks;
}

interface Running {
  readonly relay: RunningRelay;
  /** Once it is known whether others reach it. */
  readonly settled: Promise<void>;
  close(): Promise<void>;
}

/**
 * Where any port will do, the last one is tried first: links and invites name it. One that the system chose for TCP may be taken for UDP; one
 * that the person chose is taken at their word.
 */
async function startOnFreePort(parts: Parts): Promise<Running> {
  const file = path.join(parts.folder.relay, "port");
  const last = Number((await readStateFile(file, 16))?.toString("latin1"));
  const lastPort = Number.isInteger(last) && last > 0 && last < 65_536 ? last : 0;
  for (let left = PORTS_TRIED; ; left--) {
    try {
      const port = parts.port === 0 && left === PORTS_TRIED ? lastPort : parts.port;
      const running = await startRelay({ ...parts, port });
      await writeStateFile(file, Buffer.from(`${running.relay.port}\n`)).catch(async (error: unknown) => {
        await running.close();
        throw error;
      });
      return running;
    } catch (error) {
      if (parts.port !== 0 || left <= 1 || !isBackroomError(error, "E_PORT_IN_USE")) throw error;
    }
  }
}

async function startRelay(parts: Parts): Promise<Running> {
  const { folder, network, own, table } = parts;
  const { log } = parts.hooks;
  const common = { clock: systemClock, random: systemRandom };
  const decodeInfo = createRelayInfoDecoder();
  const identity = { nodeKeys: own.nodeKeys, info: () => own.bytes() ?? Buffer.alloc(0) };
  const dialer = createTlsDialer({ networkId: network.id, identity, ...common });
  // Anonymous: a neighbour that knows a channel for a relay's opens circuits back over it, and on these nobody would answer.
  const asking = createTlsDialer({ networkId: network.id, ...common });
  const ownChannels = new ChannelPool({ dialer: asking, clock: systemClock, log });
  const askRelay = createRelayAsker({ channels: ownChannels, clock: systemClock });

  const nodeKey = own.nodeKeys.publicBytes;
  // Before anybody can come; what it offers is added below, once the port is known.
  const handlers: RelayServices["handlers"] = {};
  const lag = watchLoopLag(systemClock);
  const dials = new StrangerDials({ clock: systemClock, network });
  const relay = createRelay({
    nodeKey,
    onionKeys: () => own.onionKeys(),
    dialer,
    clock: systemClock,
    services: handlers,
    log,
    isRelay: (key) => table.get(key.toString("hex")) !== undefined,
    lagMs: () => lag.lagMs(),
    ...(parts.limit === undefined ? {} : { limit: parts.limit }),
    resolveExtend: createExtendResolver({
      network,
      clock: systemClock,
      decodeInfo,
      isKnown: (info) => table.has(info),
      dials,
    }),
  });
  const closeRelay = (): void => {
    lag.stop();
    relay.close();
    ownChannels.close();
  };
  const hosting = new Hosting({ relay, nodeKey, network });
  const listener = await listenTls(
    {
      identity,
      port: parts.port,
      networkId: network.id,
      ...(network.test ? { channelsPerAddress: TEST_CHANNELS_PER_ADDRESS } : {}),
      log,
      ...common,
    },
    (channel) => relay.accept(channel),
  ).catch((error: unknown) => {
    // A daemon tries again and again where the port is taken.
    closeRelay();
    throw error;
  });
  const { port } = listener;
  const publicSide = new PublicSide({
    machine: systemMachine,
    network,
    table,
    decodeInfo,
    nodeKey,
    port,
    dialer: asking,
    askRelay,
    gate: parts.gate,
    denied: parts.denied,
    handlers,
    takeGuest: (info) => hosting.take(info),
    dials,
    log,
  });
  const connect = createDirectoryClient({ channels: ownChannels, clock: systemClock, decodeInfo });
  const joining = createRelayJoining({
    network,
    table,
    machine: systemMachine,
    nodeKey,
    port: listener.port,
    connect,
    dialer: asking,
    channels: ownChannels,
    lookup: () => publicSide.findRelays(),
    isAllowed: (endpoint) => dials.take("probe", [endpoint]),
    decodeInfo,
    log,
    cached: parts.cached,
    lan: parts.lan,
  });
  const gossip = createGossip({
    table,
    network,
    decodeInfo,
    askRelay,
    ownInfo: () => own.bytes(),
    log,
    ...common,
    seek: () => joining.seek(),
  });
  const settled = Promise.withResolvers<void>();
  const standing = new Standing({
    own,
    publicSide,
    relay,
    table,
    network,
    ownKey: nodeKey.toString("hex"),
    askRelay,
    announce: () => void gossip.round(),
    onStanding(now) {
      parts.hooks.event("standing", { ...now });
      settled.resolve();
    },
    log,
    ...common,
  });
  const lease = new PortLease({
    mapper: createPortMapper(common),
    clock: systemClock,
    port,
    onMoved: () => watch.moved(),
  });
  const watch = new ReachWatch({
    table,
    network,
    nodeKey,
    port,
    dialer: asking,
    addresses: interfaceAddresses,
    mapPort: () => lease.obtain(),
    onVerdict: (endpoints) => standing.set(endpoints),
    ...common,
  });
  const closeAll = async (): Promise<void> => {
    watch.stop();
    gossip.stop();
    joining.close();
    await Promise.all([standing.close(), lease.close()]);
    closeRelay();
    await listener.close();
  };
  if (parts.hosts === undefined) {
    gossip.start();
    joining.start();
    watch.start();
  } else {
    own.where = { kind: "reachable", endpoints: parts.hosts.map((host) => ({ host, port })) };
    await publicSide.open(port, false).catch(async (error: unknown) => {
      await closeAll();
      throw error;
    });
    gossip.start();
    joining.start();
    settled.resolve();
  }
  const stopWatching = watchTable(table, parts.hooks, (info) => publicSide.addNodes(info.endpoints));
  const save = (): Promise<void> =>
    saveTable(folder, network, table).catch((error: unknown) => {
      log("warn", "the table of relays could not be saved", { code: codeOf(error) });
    });
  const saving = setInterval(() => void save(), SAVE_TABLE_MS);
  const stopReport = reportRelay(log, systemClock, () => ({ ...relay.stats(), relaysKnown: table.size }));
  log("info", "the relay is ready", { isGate: parts.gate });

  return {
    settled: settled.promise,
    relay: {
      port,
      nodeKey: nodeKey.toString("hex"),
      networkName: network.name,
      get reachable() {
        return own.where.kind === "reachable";
      },
      get hostCount() {
        return own.where.kind === "guest" ? own.where.hosts.length : 0;
      },
      invite() {
        const bytes = own.bytes();
        const self = bytes === undefined ? [] : [decodeInfo(bytes)].filter((info) => !isGuest(info));
        const others = table.sample(INVITE_RELAYS).filter(({ nodeKey: key }) => !key.equals(nodeKey));
        return inviteTo(network, [...self, ...others].slice(0, INVITE_RELAYS).map(joinRelayOf));
      },
      stats() {
        const { circuits, forwardedBytes } = relay.stats();
        return { relaysKnown: table.size, circuits, bytesCarried: forwardedBytes, guests: hosting.count };
      },
    },
    async close() {
      clearInterval(saving);
      stopReport();
      stopWatching();
      await Promise.all([closeAll(), saveTable(folder, network, table)]);
    },
  };
}

/** Tells how many relays are known whenever that changes, and shows new ones to the DHT as nodes to ask. */
function watchTable(
  table: RelayTable,
  hooks: Hooks,
  onNew: (info: ReturnType<RelayTable["sample"]>[number]) => void,
): () => void {
  const seen = new Set<string>();
  let told = -1;
  const timer = setInterval(() => {
    if (table.size === told) return;
    told = table.size;
    hooks.event("relays", { known: told });
    hooks.log("info", "the table of relays changed", { relayCount: told });
    const infos = table.entries().map(({ info }) => info);
    for (const info of infos) if (!seen.has(info.key)) onNew(info);
    seen.clear();
    for (const info of infos) seen.add(info.key);
  }, LOOK_AT_TABLE_MS);
  return () => clearInterval(timer);
}
