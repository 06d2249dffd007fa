import { formatGB, formatGiB, formatMbit } from "./amounts.ts";
import type { LinkRates } from "./link-meter.ts";
import type { CoreFacts, DiskFacts, MemoryFacts } from "./machine-facts.ts";
import { checkMemory, reaches, usableBytes } from "./memory-check.ts";
import { row, type DoctorRow, type DoctorStatus } from "./rows.ts";
import { THRESHOLDS, type Threshold } from "./thresholds.ts";

/** What the computer is, held against what Backroom needs. More is never worse, and unknown is no failure (tests). */

export function memoryRow(facts: MemoryFacts): DoctorRow {
  const { minimum, risky, recommended } = THRESHOLDS.memory;
  const bytes = usableBytes(facts);
  const isLimited = bytes < facts.totalBytes;
  const more = isLimited ? "raise the limit of the container or service" : "use a computer with more memory";
  const verdict = checkMemory(facts);
  const limits = { minimum: formatGiB(minimum), recommended: formatGiB(recommended) };
  const found = isLimited
    ? `${formatGiB(bytes)}, by a limit; the computer has ${formatGiB(facts.totalBytes)}`
    : formatGiB(bytes);
  if (verdict === "refused")
    return row("memory", "fail", found, { ...limits, fix: `${more}; Backroom does not run here` });
  if (verdict === "risky") {
    const fix = `${more}; with less than ${formatGiB(risky)} Backroom runs with --accept-risk, and may end in the middle`;
    return row("memory", "warn", found, { ...limits, fix });
  }
  if (reaches(bytes, recommended)) return row("memory", "ok", found, limits);
  return row("memory", "warn", found, { ...limits, fix: `${more} for many shares or a busy relay` });
}

export function coresRow({ physical, limit }: CoreFacts): DoctorRow {
  const { minimum, recommended } = THRESHOLDS.cores;
  const limits = { minimum: String(minimum), recommended: String(recommended) };
  const isLimited = limit !== undefined && limit < (physical ?? Infinity);
  const cores = isLimited ? limit : physical;
  if (cores === undefined) return row("cores", "unknown", "the system does not say", limits);
  const status = judge(cores, THRESHOLDS.cores);
  const number = String(Math.floor(cores * 10) / 10);
  const has = physical === undefined ? "" : `; the computer has ${physical}`;
  const found = isLimited ? `${number}, by a limit${has}` : number;
  const more = isLimited
    ? "raise the limit of the container or service"
    : "hyper-threads do not count: use a computer with more physical cores";
  return row("cores", status, found, { ...limits, fix: status === "ok" ? null : more });
}

export function diskRow({ freeBytes }: Pick<DiskFacts, "freeBytes">): DoctorRow {
  const { minimum, recommended } = THRESHOLDS.disk;
  const limits = { minimum: formatGB(minimum), recommended: formatGB(recommended) };
  if (freeBytes === undefined) return row("free disk", "unknown", "the system does not say", limits);
  const status = judge(freeBytes, THRESHOLDS.disk);
  const fix = status === "ok" ? null : "make room, or keep the data folder on a larger disk: --data FOLDER";
  return row("free disk", status, formatGB(freeBytes), { ...limits, fix });
}

/**
 * Nobody else is asked to measure, so this is the most that own transfers reached: the line carries that at least, and a slow relay on the way looks like
 * a slow line. So too little is a warning and never a failure.
 */
export function linkRow(rates: LinkRates | undefined): DoctorRow {
  const { minimum, recommended } = THRESHOLDS.link;
  const limits = { minimum: formatMbit(minimum), recommended: formatMbit(recommended) };
  if (rates === undefined) {
    return row("link", "unknown", "too little was transferred so far to tell", limits);
  }
  const ways = [
    ...(rates.download > 0 ? [`${formatMbit(rates.download)} down`] : []),
    ...(rates.upload > 0 ? [`${formatMbit(rates.upload)} up`] : []),
  ];
  const found = `${ways.join(", ")} at best, of own transfers`;
  if (judge(Math.max(rates.download, rates.upload), THRESHOLDS.link) === "ok")
    return row("link", "ok", found, limits);
  const fix =
    "nothing if your line is faster: relays on the way may have been slow, or a limit of yours held";
  return row("link", "warn", found, { ...limits, fix });
}

function judge(value: number, { minimum, recommended }: Threshold): DoctorStatus {
  if (value >= recommended) return "ok";
  return value >= minimum ? "warn" : "fail";
}
