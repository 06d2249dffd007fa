import type { MachineFacts } from "../../src/doctor/machine-facts.ts";

export const GiB = 1024 ** 3;

/** A computer that is what a test wants, and as recommended otherwise. */
export interface FakeMachine {
  readonly totalBytes?: number;
  readonly limitBytes?: number;
  readonly physical?: number | undefined;
  readonly coreLimit?: number;
  readonly freeBytes?: number | undefined;
  readonly fileSystem?: string | undefined;
}

export function fakeMachine(machine: FakeMachine = {}): MachineFacts {
  const { totalBytes, limitBytes, physical, coreLimit, freeBytes, fileSystem } = {
    totalBytes: 16 * GiB,
    physical: 8,
    freeBytes: 500e9,
    fileSystem: "ext4",
    ...machine,
  };
  return {
    memory: () => ({ totalBytes, limitBytes }),
    cores: async () => ({ physical, limit: coreLimit }),
    disk: async () => ({ freeBytes, fileSystem }),
  };
}
