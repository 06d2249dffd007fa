import { isBackroomError } from "../../packages/core/src/base/errors.ts";
import { pickGuards, pickPath } from "../../packages/core/src/directory/path.ts";
import type { RelayInfo } from "../../packages/core/src/directory/relay-info.ts";
import { DirectoryWorld } from "./directory-world.ts";
import { NETWORK } from "./population.ts";
import { count, percent, type Table } from "./report.ts";
import { pickOne, seededRandom } from "./seeded-random.ts";
import { mean, ratio } from "./statistics.ts";

const HOUR_MS = 3_600_000;
/** The attacker comes when tables hold nearly all relays of such a network, and is looked at when its own are known everywhere. */
const ATTACK_MS = 3 * HOUR_MS;
const SETTLED_MS = 8 * HOUR_MS;
const HONEST = 1_000;
const OBSERVERS = 8;
const MEMBERS = 120;
const PATHS_EACH = 20;
const GUARDS = 3;
/** Each table is drawn from several times: who is drawn first varies more than what tables hold. */
const GUARD_DRAWS = 10;
const INVITED = 3;

/** Relays of one attacker, and how many of them stand in each subnet. */
const ATTACKERS = [
  { relays: 10, perSubnet: 1 },
  { relays: 100, perSubnet: 1 },
  { relays: 100, perSubnet: 8 },
  { relays: 100, perSubnet: 50 },
  { relays: 300, perSubnet: 1 },
  { relays: 300, perSubnet: 8 },
  { relays: 1_000, perSubnet: 1 },
];

interface SybilFigures {
  /** Of the entries of an honest relay's table, and of a new member's. */
  readonly inTables: number;
  readonly inMembers: number;
  /** Of the members: the first guard is the attacker's, one of three is. */
  readonly firstGuard: number;
  readonly anyGuard: number;
  /** Of paths to a gate: some hop is the attacker's, the gate is, guard and gate both are. */
  readonly anyHop: number;
  readonly gate: number;
  readonly bothEnds: number;
  /** Of look-ups with two scouts: both are the attacker's. */
  readonly bothScouts: number;
}

export async function measureSybil(
  hostile: { readonly relays: number; readonly perSubnet: number },
  seed: string,
  honest = HONEST,
): Promise<SybilFigures> {
  const random = seededRandom(`${seed}/sybil/${hostile.relays}/${hostile.perSubnet}`);
  const world = new DirectoryWorld(
    { honest, observers: OBSERVERS, homeShare: 0.5, hostile, hostileFromMs: ATTACK_MS },
    random,
  );
  await world.time.runUntil(SETTLED_MS);
  const isHostile = (info: RelayInfo): boolean => world.population.of(info).isHostile;
  const share = (infos: readonly RelayInfo[]): number => ratio(infos.filter(isHostile).length, infos.length);
  const members: { share: number; guards: boolean[][]; paths: boolean[][]; scouts: boolean[] }[] = [];
  for (let member = 0; member < MEMBERS; member++) {
    const table = await world.join(world.inviteOf(pickOne(world.observers, world.random), INVITED));
    if (table === undefined) continue;
    const relays = table.forPaths();
    const guards = pickGuards(relays, GUARDS, NETWORK, world.random);
    const others = Array.from({ length: GUARD_DRAWS - 1 }, () =>
      pickGuards(relays, GUARDS, NETWORK, world.random),
    );
    const draw = (role: "seeder" | "lookup"): boolean[][] =>
      Array.from({ length: PATHS_EACH }, () => {
        const want = role === "lookup" ? ({ role } as const) : ({ role, seconds: relays } as const);
        return pathOf(relays, want, guards, world)?.map(isHostile) ?? [];
      }).filter((path) => path.length > 0);
    const infos = table.entries().map(({ info }) => info);
    members.push({
      share: share(infos),
      guards: [guards, ...others].map((drawn) => drawn.map(isHostile)),
      paths: draw("seeder"),
      scouts: draw("lookup").map((path) => path.at(-1) === true),
    });
  }
  const draws = members.flatMap(({ guards }) => guards);
  const paths = members.flatMap((member) => member.paths);
  const of = (test: (path: readonly boolean[]) => boolean): number =>
    ratio(paths.filter(test).length, paths.length);
  const pairs = members.flatMap(({ scouts }) =>
    scouts.map((lies, at) => lies && scouts[(at + 1) % scouts.length] === true),
  );
  return {
    inTables: mean(world.observers.map(({ table }) => share(table.entries().map(({ info }) => info)))),
    inMembers: mean(members.map((member) => member.share)),
    firstGuard: ratio(draws.filter((guards) => guards[0] === true).length, draws.length),
    anyGuard: ratio(draws.filter((guards) => guards.includes(true)).length, draws.length),
    anyHop: of((path) => path.includes(true)),
    gate: of((path) => path.at(-1) === true),
    bothEnds: of((path) => path[0] === true && path.at(-1) === true),
    bothScouts: ratio(pairs.filter(Boolean).length, pairs.length),
  };
}

function pathOf(
  relays: readonly RelayInfo[],
  want: Parameters<typeof pickPath>[1],
  guards: readonly RelayInfo[],
  world: DirectoryWorld,
): RelayInfo[] | undefined {
  try {
    return pickPath(relays, want, { profile: "standard", network: NETWORK, guards }, world.random);
  } catch (error) {
    if (!isBackroomError(error, "E_NETWORK_TOO_SMALL")) throw error;
    return undefined;
  }
}

export async function runSybil(seed: string): Promise<Table[]> {
  const rows: string[][] = [];
  for (const hostile of ATTACKERS) {
    const f = await measureSybil(hostile, seed);
    rows.push([
      count(hostile.relays),
      count(Math.ceil(hostile.relays / hostile.perSubnet)),
      percent(hostile.relays / (HONEST + hostile.relays)),
      percent(f.inTables),
      percent(f.inMembers),
      percent(f.firstGuard),
      percent(f.anyGuard),
      percent(f.anyHop),
      percent(f.gate),
      percent(f.bothEnds, 1),
      percent(f.bothScouts, 1),
    ]);
  }
  return [
    {
      name: "sybil",
      columns: [
        "attacker's relays",
        "subnets",
        "of all relays",
        "in relays' tables",
        "in members'",
        "first guard",
        "one of 3 guards",
        "some hop of a path",
        "its gate",
        "guard and gate",
        "both scouts",
      ],
      rows,
    },
  ];
}
