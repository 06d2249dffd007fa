import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import type { Scope } from "@backroom/api/schemas/daemon.ts";

/**
 * What has to outlast the daemon, in one SQLite file. Obligations of every method: synchronous, whole or not at all, raises E_STORE or E_DISK_FULL
 * and then nothing has changed. What `put…` returned from is there after kill -9.
 */
export interface Catalogue {
  /** All, newest first; `after` is the id that the page before ended with. */
  list(query: CatalogueQuery): {
    readonly transfers: TransferRecord[];
    readonly next: string | null;
    readonly total: number;
  };
  get(id: string): TransferRecord | undefined;
  /** The transfer of a pack, by its pieces root in hex. */
  byRoot(root: string): TransferRecord | undefined;
  /** Adds it, or replaces the one of the same id. */
  put(record: TransferRecord): void;
  /** Counts that change all the time; kept within a second or so. */
  putProgress(
    id: string,
    progress: Pick<TransferRecord, "doneBytes" | "downloadedBytes" | "uploadedBytes">,
  ): void;
  remove(id: string): void;

  readonly tokens: TokenStore;
  readonly watches: WatchStore;
  /** Small values by name, as JSON: the schedule of limits, an accepted risk. */
  value(name: string): unknown;
  putValue(name: string, value: unknown): void;
  close(): void;
}

export interface CatalogueQuery {
  readonly states?: readonly StoredState[] | undefined;
  readonly role?: Transfer["role"] | undefined;
  /** Part of a name, in any case, or how an id begins. */
  readonly search?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** What was wanted last; what goes on just now (joining, looking) is not stored. */
export type StoredState = "sealing" | "active" | "paused" | "done" | "failed";

/** One transfer as it is kept: the public part that the API shows, and the secrets that it does not. */
export interface TransferRecord extends Pick<
  Transfer,
  | "id"
  | "role"
  | "name"
  | "kind"
  | "profile"
  | "fileCount"
  | "size"
  | "packLength"
  | "doneBytes"
  | "downloadedBytes"
  | "uploadedBytes"
  | "output"
  | "paths"
  | "failure"
  | "leftOutCount"
  | "createdMs"
  | "finishedMs"
> {
  readonly state: StoredState;
  /** Of the pack in hex; null until sealed. */
  readonly root: string | null;
  /** SECRET: the link as text; null until sealed. */
  readonly link: string | null;
  /** SECRET: of the sharer's key; null where the share is somebody else's. */
  readonly sharerSeed: string | null;
  /** What a share is sealed from, so that an interrupted sealing begins again. */
  readonly inputs: readonly string[];
  /** SECRET where it names people or holds a password: what it is sealed to, or opened with, until that is done. */
  readonly keys: {
    readonly password?: string;
    readonly identity?: string;
    readonly recipients?: readonly string[];
  };
  readonly seed: boolean;
  readonly wait: boolean;
  readonly accept: readonly string[];
}

export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the secret, in hex. */
  readonly hash: string;
  readonly createdMs: number;
  readonly usedMs: number | null;
  readonly expiresMs: number | null;
}

export interface TokenStore {
  list(): TokenRecord[];
  byHash(hash: string): TokenRecord | undefined;
  put(record: TokenRecord): void;
  remove(id: string): boolean;
}

export interface WatchRecord {
  readonly id: string;
  readonly folder: string;
  readonly profile: Transfer["profile"];
  readonly createdMs: number;
  /** Names in the folder that were shared, with what they looked like then (size and time), so that a restart shares nothing twice. */
  readonly shared: Readonly<Record<string, { readonly seen: string; readonly transfer: string }>>;
}

export interface WatchStore {
  list(): WatchRecord[];
  put(record: WatchRecord): void;
  remove(id: string): boolean;
}
