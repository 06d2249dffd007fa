import { readFileSync } from "node:fs";
import { realpath, statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { cgroupLimits, type ReadText } from "./cgroup.ts";
import { physicalCores } from "./cpu-topology.ts";
import type { MachineFacts } from "./machine-facts.ts";
import { fileSystemOf, parseMounts, type Mount } from "./mounts.ts";

/** More than this is how systems say that there is no limit. */
const NO_LIMIT_BYTES = 2 ** 60;

/**
 * The computer that this runs on. Linux is read from /proc and /sys, which costs next to nothing and knows which processors this process may use; the
 * library that knows other systems starts five processes to say less, and is loaded only where it is needed.
 */
export const systemFacts: MachineFacts = {
  memory() {
    const { memoryBytes } = cgroupLimits(readText);
    const limits = [memoryBytes, process.constrainedMemory()].filter(
      (limit) => limit !== undefined && limit > 0 && limit < NO_LIMIT_BYTES,
    ) as number[];
    return { totalBytes: totalmem(), limitBytes: limits.length === 0 ? undefined : Math.min(...limits) };
  },
  async cores() {
    return {
      physical: physicalCores(readText) ?? (await coresByLibrary()),
      limit: cgroupLimits(readText).cores,
    };
  },
  async disk(folder) {
    const free = await statfs(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => undefined,
    );
    const real = await realpath(folder).catch(() => folder);
    return { freeBytes: free, fileSystem: fileSystemOf(real, await mounts()) };
  },
};

const readText: ReadText = (file) => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Another system, or a container that hides it: unknown.
    return undefined;
  }
};

async function mounts(): Promise<Mount[]> {
  const linux = readText("/proc/self/mounts");
  if (linux !== undefined) return parseMounts(linux);
  try {
    const { fsSize } = await import("systeminformation");
    return (await fsSize()).map(({ mount, type }) => ({ folder: mount, fileSystem: type }));
  } catch {
    return [];
  }
}

async function coresByLibrary(): Promise<number | undefined> {
  try {
    const { cpu } = await import("systeminformation");
    const { physicalCores: cores } = await cpu();
    return cores > 0 ? cores : undefined;
  } catch {
    return undefined;
  }
}
