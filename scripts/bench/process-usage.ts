import { readFileSync } from "node:fs";

/** What a running process has used, from /proc (Linux). */
export interface Usage {
  /** User and system time, in seconds. */
  readonly cpuSeconds: number;
  /** The most memory it ever held, in MiB. */
  readonly peakMiB: number;
}

/** USER_HZ of every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export function usageOf(pid: number): Usage {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    peakMiB: Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
