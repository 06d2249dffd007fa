import { isBackroomError } from "../../packages/core/src/base/errors.ts";
import { pickGuards, pickPath } from "../../packages/core/src/directory/path.ts";
import type { RelayInfo } from "../../packages/core/src/directory/relay-info.ts";
import { encodeTable } from "../../packages/core/src/directory/table-file.ts";
import { isVouched, type RelayTable } from "../../packages/core/src/directory/table.ts";
import { DirectoryWorld, type Observer } from "./directory-world.ts";
import { NETWORK, type Relay } from "./population.ts";
import { count, figure, percent, type Table } from "./report.ts";
import { pickOne, seededRandom } from "./seeded-random.ts";
import { mean, ratio } from "./statistics.ts";

const HOUR_MS = 3_600_000;
/** Until tables hold what they hold from then on: an info lives for a day. */
const SETTLED_MS = 24 * HOUR_MS;
const MEMBERS = 60;
const CIRCUITS_EACH = 10;
const LOOKUPS = 200;
const PATHS_TRIED = 5;
const GUARDS = 3;
const INVITED = 3;
/** A signed info with one IPv4 address; `relay-info.ts` gives that many. */
const INFO_BYTES = 217;

/** Tables, gossip and path picking at one size of network. */
interface DirectoryFigures {
  readonly relays: number;
  readonly observers: number;
  readonly up: number;
  /** Of the relays that were up, in a table after 1, 6 and 24 hours. */
  readonly known: readonly number[];
  readonly entries: number;
  /** Of the entries: relays that were down, and relays vouched for. */
  readonly down: number;
  readonly vouched: number;
  /** Of one relay in an hour. */
  readonly questions: number;
  readonly infosHeard: number;
  readonly infosVerified: number;
  readonly tableBytes: number;
  readonly members: MemberFigures;
  readonly lookups: number;
}

/** Of members that join by an invite when tables have settled. */
interface MemberFigures {
  readonly joined: number;
  readonly entries: number;
  readonly down: number;
  /** Of circuits: the first path was whole, and one of five was. */
  readonly firstPath: number;
  readonly anyPath: number;
}

export async function measureDirectory(
  relays: number,
  observers: number,
  seed: string,
  settledMs = SETTLED_MS,
): Promise<DirectoryFigures> {
  const random = seededRandom(`${seed}/directory/${relays}/${observers}`);
  const world = new DirectoryWorld({ honest: relays, observers, homeShare: 0.5 }, random);
  const known: number[] = [];
  for (const part of [1 / 24, 1 / 4, 23 / 24]) {
    await world.time.runUntil(settledMs * part);
    known.push(coverage(world));
  }
  const before = costs(world.observers);
  await world.time.runUntil(settledMs);
  known[2] = coverage(world);
  const after = costs(world.observers);
  const hours = settledMs / 24 / HOUR_MS;
  const perHour = (index: number): number => ((after[index] ?? 0) - (before[index] ?? 0)) / hours;
  const entries = world.observers.flatMap(({ table }) => table.entries());
  return {
    relays,
    observers,
    up: upRelays(world),
    known,
    entries: entries.length / world.observers.length,
    down: ratio(entries.filter(({ info }) => !world.isUp(world.population.of(info))).length, entries.length),
    vouched: ratio(entries.filter(isVouched).length, entries.length),
    questions: perHour(0),
    infosHeard: perHour(1),
    infosVerified: perHour(2),
    tableBytes: mean(world.observers.map(({ table }) => tableBytes(table))),
    members: await measureMembers(world),
    lookups: await measureLookups(world),
  };
}

function upRelays(world: DirectoryWorld): number {
  return world.population.relays.filter((relay) => world.isUp(relay)).length;
}

function coverage(world: DirectoryWorld): number {
  const up = upRelays(world);
  const knownUp = ({ table }: Observer): number =>
    table.entries().filter(({ info }) => world.isUp(world.population.of(info))).length;
  return mean(world.observers.map((observer) => knownUp(observer) / up));
}

function costs(observers: readonly Observer[]): number[] {
  const of = (what: keyof Observer["cost"]): number => mean(observers.map(({ cost }) => cost[what]));
  return [of("questions"), of("infosHeard"), of("infosVerified")];
}

/** As it is on disk: what stands for an info here is shorter than a real one. */
function tableBytes(table: RelayTable): number {
  const short = table.entries().reduce((sum, { info }) => sum + INFO_BYTES - info.bytes.length, 0);
  return encodeTable(table, NETWORK.id).length + short;
}

async function measureMembers(world: DirectoryWorld): Promise<MemberFigures> {
  const tables: RelayTable[] = [];
  for (let member = 0; member < MEMBERS; member++) {
    const table = await world.join(world.inviteOf(pickOne(world.observers, world.random), INVITED));
    if (table !== undefined) tables.push(table);
  }
  const circuits = tables.flatMap((table) => {
    const guards = pickGuards(table.forPaths(), GUARDS, NETWORK, world.random);
    return Array.from({ length: CIRCUITS_EACH }, () => pathsTried(world, table, guards));
  });
  const entries = tables.flatMap((table) => table.entries());
  return {
    joined: tables.length / MEMBERS,
    entries: entries.length / tables.length,
    down: ratio(entries.filter(({ info }) => !world.isUp(world.population.of(info))).length, entries.length),
    firstPath: ratio(circuits.filter((tried) => tried === 1).length, circuits.length),
    anyPath: ratio(circuits.filter((tried) => tried <= PATHS_TRIED).length, circuits.length),
  };
}

/** How many paths it takes until all relays of one are up; each avoids the relay that was missing in those before it. */
function pathsTried(world: DirectoryWorld, table: RelayTable, guards: readonly RelayInfo[]): number {
  const avoid = new Set<string>();
  const options = { profile: "standard", network: NETWORK, guards, avoid } as const;
  for (let tried = 1; tried <= PATHS_TRIED; tried++) {
    try {
      const path = pickPath(table.forPaths(), { role: "lookup" }, options, world.random);
      const missing = path.find((info) => !world.isUp(world.population.of(info)));
      if (missing === undefined) return tried;
      avoid.add(missing.key);
    } catch (error) {
      if (!isBackroomError(error, "E_NETWORK_TOO_SMALL")) throw error;
      break;
    }
  }
  return Infinity;
}

/** Two scouts are asked for a share at two gates, which the DHT names; one answer with one gate is enough. */
async function measureLookups(world: DirectoryWorld): Promise<number> {
  let found = 0;
  for (let lookup = 0; lookup < LOOKUPS; lookup++) {
    const gates = [upGate(world), upGate(world)];
    const scouts = [pickOne(world.observers, world.random), pickOne(world.observers, world.random)];
    const answers = await Promise.all(scouts.map((scout) => world.scout(scout, gates)));
    if (answers.some((answer) => answer.length > 0)) found++;
  }
  return found / LOOKUPS;
}

function upGate(world: DirectoryWorld): Relay {
  for (;;) {
    const relay = world.population.anyUp(world.time.nowMs(), world.random);
    if (relay.id % 2 === 0) return relay;
  }
}

/** Relays in the network, and of those with a table: all, or as many as tell enough. */
const SIZES: readonly (readonly [number, number])[] = [
  [60, 60],
  [60, 8],
  [1_000, 8],
  [3_000, 8],
  [10_000, 8],
  [30_000, 8],
  [100_000, 8],
];

export async function runDirectory(seed: string, sizes = SIZES, settledMs = SETTLED_MS): Promise<Table[]> {
  const figures: DirectoryFigures[] = [];
  for (const [relays, observers] of sizes)
    figures.push(await measureDirectory(relays, observers, seed, settledMs));
  const name = ({ relays, observers }: DirectoryFigures): string =>
    relays === observers ? `${count(relays)}, each with its table` : count(relays);
  return [
    {
      name: "tables",
      columns: [
        "relays",
        "up",
        "known of those up, after 1 h",
        "6 h",
        "24 h",
        "entries",
        "of these down",
        "vouched for",
      ],
      rows: figures.map((f) => [
        name(f),
        count(f.up),
        ...f.known.map((share) => percent(share)),
        count(f.entries),
        percent(f.down),
        percent(f.vouched),
      ]),
    },
    {
      name: "gossip",
      columns: [
        "relays",
        "questions a relay asks in an hour",
        "infos heard",
        "signatures checked",
        "table on disk, KiB",
      ],
      rows: figures.map((f) => [
        name(f),
        figure(f.questions),
        count(f.infosHeard),
        count(f.infosVerified),
        count(f.tableBytes / 1024),
      ]),
    },
    {
      name: "members",
      columns: [
        "relays",
        "could join by an invite of 3",
        "entries",
        "of these down",
        "first path whole",
        "one of five whole",
        "look-ups that find a gate",
      ],
      rows: figures.map((f) => [
        name(f),
        percent(f.members.joined),
        count(f.members.entries),
        percent(f.members.down),
        percent(f.members.firstPath),
        percent(f.members.anyPath, 1),
        percent(f.lookups, 1),
      ]),
    },
  ];
}
