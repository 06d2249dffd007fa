import type { ReadText } from "./cgroup.ts";

/**
 * Physical cores that this process may run on, as Linux knows them; undefined where it does not say. Hyper-threads of one core name the same
 * list of siblings.
 */
export function physicalCores(read: ReadText): number | undefined {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read("/proc/self/status") ?? "")?.[1];
  if (allowed === undefined) return undefined;
  const cores = new Set<string>();
  for (const cpu of numbersOf(allowed)) {
    const folder = `/sys/devices/system/cpu/cpu${cpu}/topology`;
    // The second is what kernels before 5.10 call it.
    const siblings = read(`${folder}/core_cpus_list`) ?? read(`${folder}/thread_siblings_list`);
    // A processor that is allowed and offline has no such file.
    if (siblings !== undefined && siblings.trim() !== "") cores.add(siblings.trim());
  }
  return cores.size === 0 ? undefined : cores.size;
}

/** `0-2,5` gives 0, 1, 2, 5. */
function numbersOf(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [from = Number.NaN, to = from] = range.split("-").map(Number);
    return Array.from({ length: Math.max(0, to - from + 1) || 0 }, (_, index) => from + index);
  });
}
