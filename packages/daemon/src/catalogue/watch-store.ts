import type { WatchedShare, WatchRecord, WatchStore } from "./catalogue.ts";
import type { Database } from "./database.ts";
import type { Writer } from "./writer.ts";

/** Watched folders in the catalogue, with what was shared out of each: see `WatchStore`. */
export class SqliteWatchStore implements WatchStore {
  readonly #db: Database;
  readonly #writer: Writer;

  constructor(db: Database, writer: Writer) {
    this.#db = db;
    this.#writer = writer;
  }

  list(): WatchRecord[] {
    return this.#db.all("SELECT * FROM watches ORDER BY created_ms, id").map((row) => ({
      id: row["id"] as string,
      folder: row["folder"] as string,
      profile: row["profile"] as WatchRecord["profile"],
      createdMs: row["created_ms"] as number,
    }));
  }

  put({ id, folder, profile, createdMs }: WatchRecord): void {
    this.#writer.write(() =>
      this.#db.run(
        `INSERT INTO watches (id, folder, profile, created_ms) VALUES (:id, :folder, :profile, :created_ms)
         ON CONFLICT (id) DO UPDATE SET folder = excluded.folder, profile = excluded.profile, created_ms = excluded.created_ms`,
        { id, folder, profile, created_ms: createdMs },
      ),
    );
  }

  remove(id: string): boolean {
    return this.#writer.write(() => this.#db.run("DELETE FROM watches WHERE id = :id", { id }) > 0);
  }

  shares(id: string): Map<string, WatchedShare> {
    const rows = this.#db.all("SELECT name, seen, transfer FROM watch_shares WHERE watch = :id", { id });
    return new Map(
      rows.map(({ name, seen, transfer }) => [
        name as string,
        { seen: seen as string, transfer: transfer as string },
      ]),
    );
  }

  putShare(id: string, name: string, { seen, transfer }: WatchedShare): void {
    this.#writer.write(() =>
      this.#db.run(
        `INSERT INTO watch_shares (watch, name, seen, transfer) VALUES (:id, :name, :seen, :transfer)
         ON CONFLICT (watch, name) DO UPDATE SET seen = excluded.seen, transfer = excluded.transfer`,
        { id, name, seen, transfer },
      ),
    );
  }

  removeShare(id: string, name: string): void {
    this.#writer.write(() =>
      this.#db.run("DELETE FROM watch_shares WHERE watch = :id AND name = :name", { id, name }),
    );
  }
}
