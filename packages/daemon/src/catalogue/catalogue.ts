import type { Answer } from "@backroom/api/routes.ts";
import type { Transfer, TransferNote } from "@backroom/api/schemas/transfer.ts";
import type { FileChoice } from "@backroom/core/pack/selection.ts";
import type { Scope } from "@backroom/api/schemas/daemon.ts";

/**
 * What has to outlast the daemon, in one SQLite file. Obligations of every method: synchronous, whole or not at all; raises E_STORE, E_DISK_FULL or
 * E_CATALOGUE_DAMAGED, and then nothing has changed. What `put…` returned from is there after kill -9 and after a power cut; what only counts
 * (`putProgress`, `tokens.used`) may lose its last seconds; `notes.add` does after a power cut only.
 */
export interface Catalogue {
  /** Newest first. Raises E_CURSOR for an `after` that no page ended with. */
  list(query: CatalogueQuery): CataloguePage;
  get(id: string): TransferRecord | undefined;
  /** How many there are in each state; costs nothing while nothing is put. */
  counts(): Readonly<Record<StoredState, number>>;
  /** What a start asks of each in one of the states, newest first: nothing else of thousands is read. */
  outlines(states: readonly StoredState[]): TransferOutline[];
  /** Whether there is a transfer whose root begins with these hex digits. */
  knowsRoot(beginning: string): boolean;
  /** The transfer of a pack, by its pieces root in hex. */
  byRoot(root: string): TransferRecord | undefined;
  /**
   * Adds it, or replaces the one of the same id. `keys` are kept only while there is something to be sealed or opened with them: see `needsKeys`.
   * Raises E_SAME_SHARE where another transfer has the same root.
   */
  put(record: TransferRecord): void;
  /** Counts that change all the time; seen by readers at once, kept within some seconds. Does nothing where the transfer is gone. */
  putProgress(
    id: string,
    progress: Pick<TransferRecord, "doneBytes" | "downloadedBytes" | "uploadedBytes">,
  ): void;
  /** Undefined where nothing was ever chosen: then everything is wanted. */
  selection(id: string): StoredSelection | undefined;
  /** The transfer must be there; its selection goes with it. */
  putSelection(id: string, selection: StoredSelection): void;
  /** Whether it was there. */
  remove(id: string): boolean;
  /** Whatever `work` puts and removes is there as a whole or, when it throws, not at all; one write to the disk instead of many. Not nested. */
  together(work: () => void): void;

  readonly notes: NoteStore;
  readonly tokens: TokenStore;
  readonly watches: WatchStore;
  /** Small values by name, as JSON: the schedule of limits, how fast the link was. Undefined where there is none. */
  value(name: string): unknown;
  /** Undefined takes it away. */
  putValue(name: string, value: unknown): void;
  /** Reads the whole file, as opening it did. Raises E_CATALOGUE_DAMAGED. */
  check(): void;
  close(): void;
}

export interface CataloguePage {
  readonly transfers: TransferRecord[];
  /** To be given as `after` for what follows, also when the last one of this page is removed meanwhile; null at the end. */
  readonly next: string | null;
  /** Of all that fit the query, on whatever page. */
  readonly total: number;
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
  | "skippedCount"
  | "chosenSize"
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
  /** SECRET where it names people or holds a password: what it is sealed to until it has its link, or opened with until that is done. */
  readonly keys: {
    readonly password?: string;
    readonly identity?: string;
    readonly recipients?: readonly string[];
  };
  readonly seed: boolean;
  readonly wait: boolean;
  readonly accept: readonly string[];
  /** Of the pack, where files are skipped; null where all of it is wanted, or it is not known which files there are. */
  readonly wantedBytes: number | null;
}

/** Which files of a transfer are wanted, and what became of it. */
export interface StoredSelection {
  /** What a person chose: as `Selection.choices`. */
  readonly choices: readonly FileChoice[];
  /** What was opened into files already: those that are not skipped here. Null before anything was. */
  readonly opened: readonly FileChoice[] | null;
  /** The pieces that a pack is handed out with which is not to become whole: a bitmap as on the wire, in base64. Null where there is none. */
  readonly held: string | null;
}

export type TransferOutline = Pick<
  TransferRecord,
  "id" | "role" | "state" | "profile" | "finishedMs" | "root" | "link" | "accept"
>;

/** What happened to transfers: of each the last ones, gone with it. */
export interface NoteStore {
  /** The oldest first. */
  list(transfer: string): TransferNote[];
  /** After the others of its transfer. Not inside `together`. Whether the transfer was there. */
  add(transfer: string, note: Omit<TransferNote, "number">): boolean;
}

export interface TokenRecord {
  readonly id: string;
  /** No two have the same. */
  readonly name: string;
  /** Of the page whose session it is; null for a program's. */
  readonly browser: Answer<"beginSession">["token"]["browser"];
  readonly scopes: readonly Scope[];
  /** SHA-256 of the secret, in hex. */
  readonly hash: string;
  readonly createdMs: number;
  readonly usedMs: number | null;
  readonly expiresMs: number | null;
}

export interface TokenStore {
  /** In the order in which they were made. */
  list(): TokenRecord[];
  byHash(hash: string): TokenRecord | undefined;
  put(record: TokenRecord): void;
  /** That it was used; kept within some seconds, for every request would wait for the disk otherwise. */
  used(id: string, atMs: number): void;
  /** Whether it was there. */
  remove(id: string): boolean;
}

export interface WatchRecord {
  readonly id: string;
  readonly folder: string;
  readonly profile: Transfer["profile"];
  readonly createdMs: number;
}

/** A name in a watched folder that was shared: what it looked like then (size and time), so that a restart shares nothing twice. */
export interface WatchedShare {
  readonly seen: string;
  readonly transfer: string;
}

export interface WatchStore {
  /** In the order in which they were made. */
  list(): WatchRecord[];
  put(record: WatchRecord): void;
  /** With what is kept of its shares. Whether it was there. */
  remove(id: string): boolean;
  /** What was shared out of a watched folder, by name. */
  shares(id: string): Map<string, WatchedShare>;
  /** One name: a folder may have thousands, which are not written again for each. The watch must be there. */
  putShare(id: string, name: string, share: WatchedShare): void;
  removeShare(id: string, name: string): void;
}
