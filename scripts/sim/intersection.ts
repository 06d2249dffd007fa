import { count, type Table } from "./report.ts";
import { seededRandom, type SeededRandom } from "./seeded-random.ts";
import { quantile } from "./statistics.ts";
import { bitCount, dayOf, drawHabit, SLOTS_A_DAY, type Habit, type Presence } from "./uptime.ts";

/**
 * How soon relaying under one's own address gives away that one seeds (THREAT_MODEL, "Wait"): somebody with the link asks every quarter of
 * an hour whether the seeder is registered, and dials every relay of the network. Relays that were there when the seeder was not, or
 * the other way round, are not it. Of those that are left, home computers and servers are told apart by their own uptime.
 */
interface Target {
  readonly title: string;
  readonly kind: Habit["kind"];
  /** On this share of the days it seeds; on the others it only relays. Below 1 a relay that is up alone proves nothing. */
  readonly seedingDays: number;
}

export const TARGETS: readonly Target[] = [
  { title: "evenings, seeds whenever it relays", kind: "evening", seedingDays: 1 },
  { title: "evenings, seeds one day in three", kind: "evening", seedingDays: 1 / 3 },
  { title: "server, seeds whenever it relays", kind: "server", seedingDays: 1 },
];

/** Half of the relays run on home computers, half on machines that are never off. */
const EVENING_SHARE = 0.5;
/** Dials that fail though the relay is there. */
const ERROR_RATE = 0.002;
const MOST_DAYS = 1000;
const RUNS = 15;

interface Hunt {
  /** Days until the seeder was the only one left of its kind; infinite when it never was. */
  readonly days: number;
  /** Relays of its kind left after a day, a week and a month, the seeder among them. */
  readonly left: readonly number[];
  readonly foundRightOne: boolean;
}

const MILESTONES = [1, 7, 30];

export function intersect(relays: number, target: Target, random: SeededRandom, mostDays = MOST_DAYS): Hunt {
  const seeder = drawHabit(target.kind, random);
  const draw = (): Habit => drawHabit(random.unit() < EVENING_SHARE ? "evening" : "server", random);
  let suspects = Array.from({ length: relays }, (_, index) => ({
    isSeeder: index === 0,
    habit: index === 0 ? seeder : draw(),
    misses: 0,
  }));
  const left: number[] = [];
  let observed = 0;
  for (let day = 1; day <= mostDays; day++) {
    const own = dayOf(seeder, random);
    const seeds = random.unit() < target.seedingDays;
    if (seeds || target.seedingDays === 1) {
      observed += SLOTS_A_DAY;
      const bound = missesOfTheRightOne(observed);
      for (const suspect of suspects) {
        const there = suspect.isSeeder ? own : dayOf(suspect.habit, random);
        suspect.misses += misses(own, there, target.seedingDays === 1) + errors(random);
      }
      suspects = suspects.filter((suspect) => suspect.misses <= bound);
    }
    const alike = suspects.filter(({ habit }) => habit.kind === target.kind);
    if (MILESTONES.includes(day)) left.push(alike.length);
    if (alike.length <= 1) return { days: day, left, foundRightOne: alike[0]?.isSeeder === true };
  }
  return { days: Infinity, left, foundRightOne: false };
}

/** Slots that speak against it: the seeder was there and the relay was not, or, where both always run together, also the reverse. */
function misses(seeder: Presence, relay: Presence, isTwoSided: boolean): number {
  let sum = 0;
  for (const [word, up] of seeder.entries()) {
    const there = relay[word] as number;
    sum += bitCount(isTwoSided ? up ^ there : up & ~there);
  }
  return sum;
}

/** So many misses the seeder itself may have by failed dials; four deviations, so that it is hardly ever lost. */
function missesOfTheRightOne(observed: number): number {
  const expected = ERROR_RATE * observed;
  return expected + 4 * Math.sqrt(expected) + 2;
}

/** Failed dials of a day, Poisson. */
function errors(random: SeededRandom): number {
  const limit = Math.exp(-ERROR_RATE * SLOTS_A_DAY);
  let product = random.unit();
  let events = 0;
  for (; product > limit; events++) product *= random.unit();
  return events;
}

export function runIntersection(
  seed: string,
  sizes: readonly number[] = [100, 1_000, 10_000, 100_000],
): Table {
  const rows = TARGETS.flatMap((target) =>
    sizes.map((relays) => {
      const random = seededRandom(`${seed}/intersection/${target.title}/${relays}`);
      const hunts = Array.from({ length: RUNS }, () => intersect(relays, target, random));
      const days = hunts.map((hunt) => hunt.days);
      const leftAfter = (index: number): string =>
        count(
          quantile(
            hunts.map((hunt) => hunt.left[index] ?? 1),
            0.5,
          ),
        );
      return [
        target.title,
        count(relays),
        ...MILESTONES.map((_, index) => leftAfter(index)),
        daysText(quantile(days, 0.5)),
        daysText(quantile(days, 0.9)),
      ];
    }),
  );
  return {
    name: "intersection",
    columns: [
      "the seeder",
      "relays",
      "left after a day",
      "a week",
      "a month",
      "days to one, median",
      "nine in ten",
    ],
    rows,
  };
}

function daysText(days: number): string {
  return days === Infinity ? `over ${count(MOST_DAYS)}` : count(days);
}
