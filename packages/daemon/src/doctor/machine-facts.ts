/**
 * What is known of the computer, or of the part of it that a container may use. Undefined is unknown. Tests bring computers of their own
 * (`test/doctor/fake-machine.ts`).
 */
export interface MachineFacts {
  /** Cheap enough for every start: no process is started, and nothing is waited for. */
  memory(): MemoryFacts;
  cores(): Promise<CoreFacts>;
  /** Of the disk that holds `folder`, which exists. */
  disk(folder: string): Promise<DiskFacts>;
}

export interface MemoryFacts {
  /** That the system has for its programs. */
  readonly totalBytes: number;
  /** That a container or a service manager allows. */
  readonly limitBytes: number | undefined;
}

export interface CoreFacts {
  /** Physical cores that this process may run on. */
  readonly physical: number | undefined;
  /** Cores' worth of time that a container or a service manager allows; may be a fraction. */
  readonly limit: number | undefined;
}

export interface DiskFacts {
  /** For this user, in bytes. */
  readonly freeBytes: number | undefined;
  /** As the system names it: ext4, apfs, nfs4 … */
  readonly fileSystem: string | undefined;
}
