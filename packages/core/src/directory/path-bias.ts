/**
 * How many of the circuits through one guard came to something. A guard that lets only those circuits succeed whose other relays belong to it, too,
 * is at both ends of many more than its share; it shows as failures of all others. Weighted and decaying counts, never times.
 */
export interface BiasCounts {
  /** Circuits that reached beyond the guard's own handshake, and those of them that stand. */
  readonly attempts: number;
  readonly built: number;
  /** Circuits that were used, and those of them over which the last hop answered. */
  readonly uses: number;
  readonly answered: number;
}

export type BiasKind = "build" | "use";
export type BiasVerdict = "fine" | "suspicious" | "hostile";

export const NO_COUNTS: BiasCounts = { attempts: 0, built: 0, uses: 0, answered: 0 };

/** From here on the counts of a kind are halved: what a guard did last year says little. */
const SCALE_AT = 200;

/**
 * Below which share of successes, of how many at least, a guard is suspicious and hostile. In a healthy network far more than half of all
 * circuits stand, and of those that stand nearly all answer; bad luck and relays that have just left stay above it.
 */
const BOUNDS: Readonly<Record<BiasKind, { least: number; suspicious: number; hostile: number }>> = {
  build: { least: 20, suspicious: 0.5, hostile: 0.3 },
  use: { least: 20, suspicious: 0.6, hostile: 0.4 },
};

/** One more circuit. `weight` (0 to 1) is how much a failure says about the guard; a success counts in full. */
export function countCircuit(counts: BiasCounts, kind: BiasKind, isSuccess: boolean, weight = 1): BiasCounts {
  const all = isSuccess ? 1 : weight;
  const good = isSuccess ? 1 : 0;
  if (kind === "build") {
    const [attempts, built] = scaled(counts.attempts + all, counts.built + good);
    return { ...counts, attempts, built };
  }
  const [uses, answered] = scaled(counts.uses + all, counts.answered + good);
  return { ...counts, uses, answered };
}

function scaled(all: number, good: number): [number, number] {
  return all > SCALE_AT ? [all / 2, good / 2] : [all, good];
}

/** The worse of the two kinds. */
export function biasVerdict(counts: BiasCounts): BiasVerdict {
  const verdicts = [
    verdictOf("build", counts.attempts, counts.built),
    verdictOf("use", counts.uses, counts.answered),
  ];
  return (["hostile", "suspicious"] as const).find((verdict) => verdicts.includes(verdict)) ?? "fine";
}

function verdictOf(kind: BiasKind, all: number, good: number): BiasVerdict {
  const { least, suspicious, hostile } = BOUNDS[kind];
  if (all < least) return "fine";
  const share = good / all;
  return share < hostile ? "hostile" : share < suspicious ? "suspicious" : "fine";
}
