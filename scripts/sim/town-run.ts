import { count, figure, percent, type Table } from "./report.ts";
import { mean, quantile, ratio } from "./statistics.ts";
import type { HostileOptions } from "./hostile-relays.ts";
import { Town, type TownOptions } from "./town.ts";
import type { Purpose } from "./traffic.ts";

const MIB = 1024 * 1024;
/** Members of the towns that are measured. */
export const TOWN_SIZES = [30, 100, 300, 1_000];

interface TownFigures {
  readonly members: number;
  readonly relays: number;
  /** In a relay's table at the end: of the relays that are up; of its entries those that are down. */
  readonly known: number;
  readonly down: number;
  readonly downloads: number;
  readonly complete: number;
  /** Of all members that came: those that could join. */
  readonly joined: number;
  /** Seconds from the start of the program until the share was there: median, and nine in ten. */
  readonly completeS: readonly number[];
  readonly wanted: number;
  readonly pathsWhole: number;
  readonly givenUp: number;
  /** Of one relay in an hour. */
  readonly relayHour: Readonly<Record<Purpose, Readonly<{ mib: number; dials: number; hops: number }>>>;
  /** Of one member that came, whether for a download or to join alone. */
  readonly member: { readonly mib: number; readonly dials: number; readonly hops: number };
  readonly asked: Town["hostile"]["asked"];
}

export async function measureTown(options: TownOptions): Promise<TownFigures> {
  const town = new Town(options);
  await town.run();
  const up = town.upRelays();
  const upKeys = new Set([...up, ...town.hostile.relays].map(({ key }) => key));
  const entries = up.map(({ table }) => table.entries().map(({ info }) => info.key));
  const knownUp = entries.map((keys) => keys.filter((key) => upKeys.has(key)).length);
  const complete = town.downloads.filter(({ code }) => code === undefined);
  const everybody = [...town.downloads, ...town.visits];
  const { counts } = town.ground.traffic;
  const hours = town.countedHours * (up.length + town.hostile.relays.length);
  const perHour = (purpose: Purpose): { mib: number; dials: number; hops: number } => ({
    mib: counts[purpose].bytes / MIB / hours,
    dials: counts[purpose].dials / hours,
    hops: counts[purpose].hops / hours,
  });
  const { wanted, built, failed, givenUp } = town.paths;
  const downloads = town.downloads.length;
  return {
    members: options.members,
    relays: up.length,
    known: mean(knownUp.map((known) => known / upKeys.size)),
    down: mean(entries.map((keys, index) => 1 - ratio(knownUp[index] ?? 0, keys.length))),
    downloads,
    complete: complete.length,
    joined: ratio(everybody.filter(({ joinedMs }) => !Number.isNaN(joinedMs)).length, everybody.length),
    completeS: [0.5, 0.9].map(
      (share) =>
        quantile(
          complete.map(({ completeMs }) => completeMs),
          share,
        ) / 1000,
    ),
    wanted,
    pathsWhole: ratio(built, built + failed),
    givenUp: ratio(givenUp, wanted),
    relayHour: { gossip: perHour("gossip"), member: perHour("member"), circuits: perHour("circuits") },
    member: {
      mib: counts.member.bytes / MIB / everybody.length,
      dials: counts.member.dials / everybody.length,
      hops: (counts.member.hops + counts.circuits.hops) / everybody.length,
    },
    asked: town.hostile.asked,
  };
}

export async function runTown(seed: string, sizes: readonly number[]): Promise<Table[]> {
  const figures: TownFigures[] = [];
  for (const members of sizes) figures.push(await measureTown({ members, seed }));
  return [
    {
      name: "town",
      columns: [
        "members",
        "relays up",
        "known to a relay",
        "of its entries down",
        "paths whole",
        "circuits given up",
        "members joined",
        "downloads",
        "complete",
        "seconds, median",
        "nine in ten",
      ],
      rows: figures.map((f) => [
        count(f.members),
        count(f.relays),
        percent(f.known),
        percent(f.down),
        percent(f.pathsWhole, 1),
        `${percent(f.givenUp, 1)} of ${count(f.wanted)}`,
        percent(f.joined, 1),
        count(f.downloads),
        percent(f.complete / f.downloads, 1),
        ...f.completeS.map((seconds) => seconds.toFixed(1)),
      ]),
    },
    {
      name: "cost",
      columns: [
        "members",
        "gossip of a relay in an hour, MiB",
        "connections",
        "hop handshakes",
        "circuits through a relay in an hour, MiB",
        "a member that came, MiB",
        "connections",
        "hop handshakes",
      ],
      rows: figures.map((f) => [
        count(f.members),
        figure(f.relayHour.gossip.mib),
        figure(f.relayHour.gossip.dials),
        figure(f.relayHour.gossip.hops),
        figure(f.relayHour.circuits.mib + f.relayHour.member.mib),
        figure(f.member.mib),
        figure(f.member.dials),
        figure(f.member.hops),
      ]),
    },
  ];
}

/** Hostile relays beside 30 honest ones, and places without a relay in the DHT, for each share. */
const ATTACKS: readonly HostileOptions[] = [
  { relays: 0, crowd: 0 },
  { relays: 0, crowd: 100 },
  { relays: 0, crowd: 1_000 },
  { relays: 0, crowd: 5_000 },
  { relays: 5, crowd: 0 },
  { relays: 15, crowd: 0 },
  { relays: 30, crowd: 0 },
  { relays: 5, crowd: 0, isSmart: true },
  { relays: 15, crowd: 0, isSmart: true },
  { relays: 30, crowd: 0, isSmart: true },
];
const ATTACKED_MEMBERS = 150;

export async function runLookups(seed: string): Promise<Table[]> {
  const rows: string[][] = [];
  for (const hostile of ATTACKS) {
    const f = await measureTown({ members: ATTACKED_MEMBERS, seed, hostile });
    const { scouts, lyingScouts, gates, emptyGates } = f.asked;
    rows.push([
      `${count(hostile.relays)}${hostile.isSmart === true ? ", answer seeders" : ""}`,
      count(hostile.crowd),
      percent(ratio(lyingScouts, scouts)),
      percent(ratio(emptyGates, gates)),
      (gates / f.downloads).toFixed(1),
      percent(f.complete / f.downloads, 1),
      ...f.completeS.map((seconds) => seconds.toFixed(1)),
    ]);
  }
  return [
    {
      name: "lookups",
      columns: [
        "hostile relays",
        "made-up places",
        "scouts asked that lie",
        "gates asked that are hostile",
        "gates asked a download",
        "downloads complete",
        "seconds, median",
        "nine in ten",
      ],
      rows,
    },
  ];
}
