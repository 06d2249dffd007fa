import path from "node:path";

/** What a file says, or undefined where it is not there. */
export type ReadText = (file: string) => string | undefined;

export interface CgroupLimits {
  readonly memoryBytes: number | undefined;
  /** Cores' worth of time. */
  readonly cores: number | undefined;
}

/** A hierarchy is nested by people and by container engines, not by thousands. */
const DEEPEST = 64;

/**
 * What Linux allows this process (cgroup v2, v1, or both at once): the least of its own group's limits and of those above it, of which Node sees the
 * first only. In a container the path that the kernel tells may be the host's; then the root of what is mounted is the container's own.
 */
export function cgroupLimits(read: ReadText): CgroupLimits {
  const memory: number[] = [];
  const cores: number[] = [];
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    for (const folder of upwards(group)) {
      if (controllers === "") {
        for (const root of ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]) {
          memory.push(amount(read(path.posix.join(root, folder, "memory.max"))));
          const [quota, period] = (read(path.posix.join(root, folder, "cpu.max")) ?? "").trim().split(" ");
          cores.push(amount(quota) / amount(period));
        }
      } else if (controllers.split(",").includes("memory")) {
        memory.push(amount(read(path.posix.join("/sys/fs/cgroup/memory", folder, "memory.limit_in_bytes"))));
      } else if (controllers.split(",").includes("cpu")) {
        for (const root of ["/sys/fs/cgroup/cpu", `/sys/fs/cgroup/${controllers}`]) {
          const place = path.posix.join(root, folder);
          const quota = amount(read(path.posix.join(place, "cpu.cfs_quota_us")));
          cores.push(quota / amount(read(path.posix.join(place, "cpu.cfs_period_us"))));
        }
      }
    }
  }
  return { memoryBytes: least(memory), cores: least(cores) };
}

/** `/a/b` gives `/a/b`, `/a`, `/`. */
function upwards(group: string): string[] {
  const parts = path.posix.normalize(group).split("/").filter(Boolean).slice(0, DEEPEST);
  return Array.from(
    { length: parts.length + 1 },
    (_, index) => `/${parts.slice(0, parts.length - index).join("/")}`,
  );
}

/** A number above zero; NaN for `max`, for −1 (both: no limit), and for what is not there. */
function amount(text: string | undefined): number {
  const value = /^\d+$/.test(text?.trim() ?? "") ? Number(text) : Number.NaN;
  return value > 0 ? value : Number.NaN;
}

function least(values: readonly number[]): number | undefined {
  const known = values.filter((value) => Number.isFinite(value));
  return known.length === 0 ? undefined : Math.min(...known);
}
