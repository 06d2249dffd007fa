const GiB = 1024 ** 3;
const GB = 1e9;
/** Bytes a second. */
const MBIT = 1e6 / 8;

/** Less than `minimum` fails, less than `recommended` is a warning. */
export interface Threshold {
  readonly minimum: number;
  readonly recommended: number;
}

/** What a computer needs. The only place with these numbers; README («What your computer needs») says the same. */
export const THRESHOLDS = {
  /** Bytes. Below `minimum` the program does not run, below `risky` only for somebody who accepts that. */
  memory: { minimum: 2 * GiB, risky: 4 * GiB, recommended: 6 * GiB },
  /** Physical ones: what two hyper-threads of a core encrypt together is little more than what one does. */
  cores: { minimum: 2, recommended: 4 },
  /** Bytes that are free, in the units of people who sell disks. */
  disk: { minimum: 25 * GB, recommended: 250 * GB },
  link: { minimum: 15 * MBIT, recommended: 35 * MBIT },
} as const satisfies Record<string, Threshold & { readonly risky?: number }>;

/**
 * How much of a threshold of memory may be missing. A computer with “2 GB” has fewer than 2 GiB to show for it: the number may be decimal (6.9 % less),
 * and what the kernel keeps for itself is not counted (2 to 3 %). Less than a tenth is no other computer than the one that was meant; where a
 * graphics chip took more, the program has to do without that too.
 */
export const MEMORY_TOLERANCE = 0.1;
