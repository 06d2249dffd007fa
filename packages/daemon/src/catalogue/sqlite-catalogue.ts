import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import type { BackupSchedule } from "./backup-schedule.ts";
import type {
  Catalogue,
  CataloguePage,
  CatalogueQuery,
  NoteStore,
  StoredSelection,
  StoredState,
  TokenStore,
  TransferOutline,
  TransferRecord,
  WatchStore,
} from "./catalogue.ts";
import { BEGINNING, formatCursor, parseCursor } from "./cursor.ts";
import type { Database } from "./database.ts";
import { needsKeys } from "./needs-keys.ts";
import { SqliteNoteStore } from "./note-store.ts";
import type { Reserve } from "./reserve.ts";
import { searched } from "./searched.ts";
import { COUNT_STATES, COUNT_TRANSFERS, LIST_OUTLINES, LIST_TRANSFERS } from "./transfer-list.ts";
import { PUT_SELECTION, selectionRow, storedSelection } from "./selection-row.ts";
import { SqliteTokenStore } from "./token-store.ts";
import {
  countsRow,
  jsonOf,
  keysRow,
  PUT_COUNTS,
  PUT_KEYS,
  PUT_TRANSFER,
  SELECT_TRANSFERS,
  stringsOf,
  transferRecord,
  transferRow,
  type Row,
} from "./transfer-row.ts";
import { SqliteWatchStore } from "./watch-store.ts";
import type { Progress, Writer } from "./writer.ts";

/** What lies beside the database and is told what happens to it. */
export interface Surroundings {
  readonly backups: Pick<BackupSchedule, "removed" | "close">;
  readonly reserve: Pick<Reserve, "keep" | "giveUp">;
}

/** The catalogue in a database that `openCatalogue` has made ready. */
export class SqliteCatalogue implements Catalogue {
  readonly #db: Database;
  readonly #writer: Writer;
  readonly #around: Surroundings;
  /** Until something is written. */
  #counts: Readonly<Record<StoredState, number>> | undefined;
  readonly notes: NoteStore;
  readonly tokens: TokenStore;
  readonly watches: WatchStore;

  constructor(db: Database, writer: Writer, around: Surroundings) {
    this.#db = db;
    this.#writer = writer;
    this.#around = around;
    this.notes = new SqliteNoteStore(db, writer);
    this.tokens = new SqliteTokenStore(db, writer);
    this.watches = new SqliteWatchStore(db, writer);
  }

  list({ states, role, search, after, limit }: CatalogueQuery): CataloguePage {
    const place = after === undefined ? BEGINNING : parseCursor(after);
    const filter = {
      states: states === undefined ? null : JSON.stringify(states),
      role: role ?? null,
      search: search === undefined ? null : searched(search),
      prefix: search ?? null,
    };
    // One more than asked for tells whether anything follows.
    const page = { ...filter, created_ms: place.createdMs, id: place.id, limit: limit + 1 };
    const transfers = this.#db.all(LIST_TRANSFERS, page).map((row) => this.#record(row));
    const total = Number(this.#db.get(COUNT_TRANSFERS, filter)?.["total"] ?? 0);
    if (transfers.length <= limit) return { transfers, next: null, total };
    transfers.pop();
    const last = transfers.at(-1);
    return { transfers, next: last === undefined ? null : formatCursor(last), total };
  }

  get(id: string): TransferRecord | undefined {
    return this.#one(`${SELECT_TRANSFERS} WHERE t.id = :id`, { id });
  }

  counts(): Readonly<Record<StoredState, number>> {
    if (this.#counts === undefined) {
      const counts = { sealing: 0, active: 0, paused: 0, done: 0, failed: 0 };
      for (const { state, count } of this.#db.all(COUNT_STATES))
        counts[state as StoredState] = count as number;
      this.#counts = counts;
    }
    return this.#counts;
  }

  outlines(states: readonly StoredState[]): TransferOutline[] {
    return this.#db.all(LIST_OUTLINES, { states: JSON.stringify(states) }).map((row) => ({
      id: row["id"] as string,
      role: row["role"] as TransferOutline["role"],
      state: row["state"] as StoredState,
      profile: row["profile"] as TransferOutline["profile"],
      finishedMs: row["finished_ms"] as number | null,
      root: row["root"] as string | null,
      link: row["link"] as string | null,
      accept: stringsOf(row["accept"]),
    }));
  }

  knowsRoot(beginning: string): boolean {
    // The letter after the hex digits: what lies between begins like that.
    const found = this.#db.get("SELECT 1 FROM transfers WHERE root >= :from AND root < :to", {
      from: beginning,
      to: `${beginning}g`,
    });
    return found !== undefined;
  }

  byRoot(root: string): TransferRecord | undefined {
    return this.#one(`${SELECT_TRANSFERS} WHERE t.root = :root`, { root });
  }

  put(record: TransferRecord): void {
    const { id, root } = record;
    this.#write(() => {
      if (
        this.#db.get("SELECT id FROM transfers WHERE root = :root AND id <> :id", { root, id }) !== undefined
      ) {
        throw new BackroomError("E_SAME_SHARE", "there is a transfer of this share already");
      }
      this.#db.run(PUT_TRANSFER, transferRow(record));
      this.#db.run(PUT_COUNTS, countsRow(id, record));
      const keys = needsKeys(record) ? keysRow(id, record.keys) : undefined;
      if (keys !== undefined) this.#db.run(PUT_KEYS, keys);
      else if (this.#db.run("DELETE FROM keys WHERE transfer = :id", { id }) > 0)
        this.#writer.leaveNoRemains();
      this.#writer.progress.delete(id);
    });
  }

  putProgress(id: string, progress: Progress): void {
    this.#writer.putProgress(id, progress);
  }

  selection(id: string): StoredSelection | undefined {
    const row = this.#db.get("SELECT choices, opened, held FROM selections WHERE transfer = :id", { id });
    return row === undefined ? undefined : storedSelection(row);
  }

  putSelection(id: string, selection: StoredSelection): void {
    this.#write(() => this.#db.run(PUT_SELECTION, selectionRow(id, selection)));
  }

  remove(id: string): boolean {
    const wasThere = this.#withReserve(() =>
      this.#write(() => {
        this.#writer.progress.delete(id);
        return this.#db.run("DELETE FROM transfers WHERE id = :id", { id }) > 0;
      }),
    );
    if (wasThere) {
      this.#writer.leaveNoRemains();
      this.#around.backups.removed();
    }
    return wasThere;
  }

  together(work: () => void): void {
    this.#write(work);
  }

  value(name: string): unknown {
    const row = this.#db.get(`SELECT value FROM "values" WHERE name = :name`, { name });
    return row === undefined ? undefined : jsonOf(row["value"]);
  }

  putValue(name: string, value: unknown): void {
    this.#writer.write(() => {
      if (value === undefined) this.#db.run(`DELETE FROM "values" WHERE name = :name`, { name });
      else {
        this.#db.run(
          `INSERT INTO "values" (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
          { name, value: JSON.stringify(value) },
        );
      }
    });
  }

  check(): void {
    this.#db.check();
  }

  /** Writes what waits, as far as the disk lets it. */
  close(): void {
    this.#around.backups.close();
    try {
      this.#writer.close();
    } finally {
      this.#db.close();
    }
  }

  /** Of transfers. */
  #write<T>(work: () => T): T {
    try {
      return this.#writer.write(work);
    } finally {
      this.#counts = undefined;
    }
  }

  /** What makes room must not fail for want of room. */
  #withReserve<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isBackroomError(error, "E_DISK_FULL") || !this.#around.reserve.giveUp()) throw error;
      return work();
    }
  }

  #one(sql: string, values: Row): TransferRecord | undefined {
    const row = this.#db.get(sql, values);
    return row === undefined ? undefined : this.#record(row);
  }

  #record(row: Row): TransferRecord {
    const record = transferRecord(row);
    const newer = this.#writer.progress.get(record.id);
    return newer === undefined ? record : { ...record, ...newer };
  }
}
