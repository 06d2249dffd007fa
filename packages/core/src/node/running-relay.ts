import { systemClock } from "../base/clock.ts";
import { codeOf } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import type { RateLimit } from "../base/rate-limit.ts";
import { createDirectoryClient } from "../directory/directory-client.ts";
import { createGossip, type Gossip } from "../directory/gossip.ts";
import { joinRelayOf, type Network } from "../directory/network.ts";
import { createRelayInfoDecoder, isGuest, type RelayInfoDecoder } from "../directory/relay-info.ts";
import type { RelayTable } from "../directory/table.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import { createPortMapper } from "../net/port-mapping/port-mapper.ts";
import type { DenyList } from "../tunnel/deny-list.ts";
import type { DataFolder } from "./data-folder.ts";
import type { Hooks } from "./hooks.ts";
import { systemMachine } from "./machine.ts";
import { inviteTo } from "./networks.ts";
import { interfaceAddresses } from "./own-addresses.ts";
import type { OwnInfo } from "./own-info.ts";
import { PortLease } from "./port-lease.ts";
import { PublicSide } from "./public-side.ts";
import { ReachWatch } from "./reach-watch.ts";
import { startCarrying, type Carrying } from "./relay-carrying.ts";
import { createRelayJoining } from "./relay-joining.ts";
import { reportRelay } from "./relay-report.ts";
import { saveTable } from "./saved-table.ts";
import { Standing } from "./standing.ts";

const SAVE_TABLE_MS = 5 * 60_000;
const LOOK_AT_TABLE_MS = 200;
const INVITE_RELAYS = 3;

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

/** What a relay is made of. */
export interface RelayParts {
  readonly folder: DataFolder;
  readonly network: Network;
  readonly own: OwnInfo;
  readonly table: RelayTable;
  /** Known from earlier runs. */
  readonly cached: readonly JoinRelay[];
  /** IP addresses under which others reach it. Undefined where it finds out for itself. */
  readonly hosts: readonly string[] | undefined;
  /** TCP for TLS, UDP for the DHT; 0 takes a free one. */
  readonly port: number;
  readonly gate: boolean;
  readonly denied: DenyList;
  readonly lan: boolean;
  readonly limit: RateLimit | undefined;
  readonly hooks: Hooks;
}

export interface StartedRelay {
  readonly relay: RunningRelay;
  /** Once it is known whether others reach it. */
  readonly settled: Promise<void>;
  close(): Promise<void>;
}

/** Puts a relay together and lets it run: what it carries, what it offers, whom it hears of. Raises E_PORT_IN_USE and E_LISTEN, and then nothing runs. */
export async function startRelay(parts: RelayParts): Promise<StartedRelay> {
  const { network, own, table } = parts;
  const { log } = parts.hooks;
  const decodeInfo = createRelayInfoDecoder();
  const carrying = await startCarrying({ ...parts, decodeInfo, log });
  const { port, dialer, channels, askRelay, dials } = carrying;
  const nodeKey = own.nodeKeys.publicBytes;
  const publicSide = new PublicSide({
    machine: systemMachine,
    network,
    table,
    decodeInfo,
    nodeKey,
    port,
    dialer,
    askRelay,
    gate: parts.gate,
    denied: parts.denied,
    handlers: carrying.handlers,
    takeGuest: (info) => carrying.hosting.take(info),
    dials,
    log,
  });
  const joining = createRelayJoining({
    network,
    table,
    machine: systemMachine,
    nodeKey,
    port,
    connect: createDirectoryClient({ channels, clock: systemClock, decodeInfo }),
    dialer,
    channels,
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
    clock: systemClock,
    random: systemRandom,
    seek: () => joining.seek(),
  });
  const reach = findOutReach(parts, carrying, publicSide, gossip);
  const close = async (): Promise<void> => {
    reach.watch.stop();
    gossip.stop();
    joining.close();
    await Promise.all([reach.standing.close(), reach.lease.close()]);
    await carrying.close();
  };

  if (parts.hosts !== undefined) {
    own.where = { kind: "reachable", endpoints: parts.hosts.map((host) => ({ host, port })) };
    await publicSide.open(port, false).catch(async (error: unknown) => {
      await close();
      throw error;
    });
  }
  gossip.start();
  joining.start();
  if (parts.hosts === undefined) reach.watch.start();
  const stopRecords = keepRecords(parts, carrying, publicSide);
  log("info", "the relay is ready", { isGate: parts.gate });
  return {
    relay: viewOf(parts, carrying, decodeInfo),
    settled: parts.hosts === undefined ? reach.settled : Promise.resolve(),
    async close() {
      await Promise.all([close(), stopRecords()]);
    },
  };
}

/** What asks others whether they reach this relay, and makes it what it then is: dialled by others, maybe at a port of the router's, or a guest. */
function findOutReach(
  { network, own, table, hooks }: RelayParts,
  { port, relay, dialer, askRelay }: Carrying,
  publicSide: PublicSide,
  gossip: Gossip,
): { watch: ReachWatch; standing: Standing; lease: PortLease; settled: Promise<void> } {
  const common = { clock: systemClock, random: systemRandom };
  const nodeKey = own.nodeKeys.publicBytes;
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
      hooks.event("standing", { ...now });
      settled.resolve();
    },
    log: hooks.log,
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
    dialer,
    addresses: interfaceAddresses,
    mapPort: () => lease.obtain(),
    onVerdict: (endpoints) => standing.set(endpoints),
    ...common,
  });
  return { watch, standing, lease, settled: settled.promise };
}

/** Keeps the table on disk, tells how many relays are known, and logs how this one does, until the returned function is called. */
function keepRecords(
  { folder, network, table, hooks }: RelayParts,
  { relay }: Carrying,
  publicSide: PublicSide,
): () => Promise<void> {
  const { log } = hooks;
  const stopWatching = watchTable(table, hooks, (info) => publicSide.addNodes(info.endpoints));
  const save = (): Promise<void> =>
    saveTable(folder, network, table).catch((error: unknown) => {
      log("warn", "the table of relays could not be saved", { code: codeOf(error) });
    });
  const saving = setInterval(() => void save(), SAVE_TABLE_MS);
  const stopReport = reportRelay(log, systemClock, () => ({ ...relay.stats(), relaysKnown: table.size }));
  return async () => {
    clearInterval(saving);
    stopReport();
    stopWatching();
    await saveTable(folder, network, table);
  };
}

function viewOf(
  { network, own, table }: RelayParts,
  { port, relay, hosting }: Carrying,
  decodeInfo: RelayInfoDecoder,
): RunningRelay {
  const nodeKey = own.nodeKeys.publicBytes;
  return {
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
