import assert from "node:assert/strict";
import { seededRandom } from "../directory/fixtures.ts";
import type { Tally } from "./hostile-frames.ts";
import {
  DOWNLOADERS_GUARDS,
  HostileWorld,
  SEEDERS_GUARDS,
  type RelayPlan,
  type Script,
} from "./hostile-world.ts";

/** What a download may cost when hostile relays do their worst, over all that the test plays. */
export interface Cost {
  /** Circuits that the downloader opens, look-ups included; an honest network takes about four. */
  readonly circuits: number;
  /** Of the world's clock, until all is there. */
  readonly seconds: number;
  /** Channels that the downloader dials anew. */
  readonly dials: number;
  /** Bytes of the pack that came in vain, in KiB. */
  readonly wastedKiB: number;
  /** Waiting in the fullest honest relay, in KiB. */
  readonly heldKiB: number;
}

/** One behaviour at one place: a row of docs/HOSTILE_RELAYS.md, and a test. */
export interface Scenario {
  readonly what: string;
  readonly where: string;
  /** Of these at least one is seen, `party: what it does`, numbers left out. None: nothing has to be noticed. */
  readonly noticed: readonly string[];
  /** What stands in the table where nobody notices anything. */
  readonly because?: string;
  readonly atMost: Cost;
  readonly plans?: Readonly<Record<string, RelayPlan>>;
  hostile(tally: Tally): Readonly<Record<string, Script>>;
  /** Before anybody downloads. */
  prepare?(world: HostileWorld, tally: Tally): Promise<void>;
  /** The seeder has no sharer's key. */
  readonly isMirror?: boolean;
  /** Gates that the seeder can get; two. */
  readonly gates?: number;
  /** Downloads that run at a time. */
  readonly downloads?: number;
}

/** Where chance decides which relays are on a path, a hostile one may have had nothing to do. */
const WORLDS = 8;
const DOWNLOADS = 4;

/** Plays the scenario until the hostile relays have done something, and asserts that what it says holds. */
export async function play(scenario: Scenario): Promise<Cost> {
  for (let left = WORLDS; left > 0; left--) {
    const tally: Tally = { acts: 0 };
    const plans = scenario.plans === undefined ? {} : { plans: scenario.plans };
    // Seeded, so that chance is the same in each run as far as keys allow.
    const random = seededRandom(left);
    const world = new HostileWorld({ ...plans, hostile: scenario.hostile(tally), random });
    try {
      const cost = await playIn(world, scenario, tally);
      if (cost !== undefined) return cost;
    } finally {
      await world.close();
    }
  }
  throw new assert.AssertionError({ message: "the hostile relays never had anything to do" });
}

async function playIn(world: HostileWorld, scenario: Scenario, tally: Tally): Promise<Cost | undefined> {
  await world.seed("seeder", SEEDERS_GUARDS, {
    isSharer: scenario.isMirror !== true,
    gates: scenario.gates,
  });
  await scenario.prepare?.(world, tally);
  const costs: Cost[] = [];
  for (let round = 0; round < DOWNLOADS && (round === 0 || !isShown(world, scenario, tally)); round++) {
    const names = Array.from({ length: scenario.downloads ?? 1 }, (_, one) => `downloader${round}${one}`);
    const downloads = names.map((name) => world.download(name, DOWNLOADERS_GUARDS));
    costs.push(...(await Promise.all(downloads)).map((cost) => ({ ...cost, heldKiB: 0 })));
  }
  if (!isShown(world, scenario, tally)) return undefined;
  const worst = (of: keyof Cost): number => Math.max(...costs.map((cost) => cost[of]));
  const cost: Cost = {
    circuits: worst("circuits"),
    seconds: worst("seconds"),
    dials: worst("dials"),
    wastedKiB: worst("wastedKiB"),
    heldKiB: world.mostHeldBytes / 1024,
  };
  for (const key of Object.keys(cost) as (keyof Cost)[]) {
    assert.ok(cost[key] <= scenario.atMost[key], `${key}: ${cost[key]}, more than ${scenario.atMost[key]}`);
  }
  return cost;
}

function isShown(world: HostileWorld, { noticed }: Scenario, tally: Tally): boolean {
  const seen = seenIn(world);
  return tally.acts > 0 && (noticed.length === 0 || noticed.some((one) => seen.has(one)));
}

export function seenIn(world: HostileWorld): Set<string> {
  const seen = world.watch.notices.filter(({ by }) => !world.isHostile(by));
  return new Set(seen.map(({ by, what }) => `${roleOf(by)}: ${what}`));
}

const ROLES: readonly [RegExp, string][] = [
  [/^dg/, "downloader's guard"],
  [/^sg/, "seeder's guard"],
  [/^mid/, "middle hop"],
];

function roleOf(name: string): string {
  const [, role] = ROLES.find(([pattern]) => pattern.test(name)) ?? [];
  return role ?? name.replace(/\d+$/, "");
}
