import { BROWSERS } from "@backroom/api/words.ts";
import type { Scope } from "@backroom/api/schemas/daemon.ts";
import type { TokenRecord, TokenStore } from "./catalogue.ts";
import type { Database } from "./database.ts";
import type { Writer } from "./writer.ts";
import { stringsOf, type Cell, type Row } from "./transfer-row.ts";

/** Tokens in the catalogue, by the hash of their secret: see `TokenStore`. */
export class SqliteTokenStore implements TokenStore {
  readonly #db: Database;
  readonly #writer: Writer;

  constructor(db: Database, writer: Writer) {
    this.#db = db;
    this.#writer = writer;
  }

  list(): TokenRecord[] {
    return this.#db.all("SELECT * FROM tokens ORDER BY created_ms, id").map((row) => this.#record(row));
  }

  byHash(hash: string): TokenRecord | undefined {
    const row = this.#db.get("SELECT * FROM tokens WHERE hash = :hash", { hash });
    return row === undefined ? undefined : this.#record(row);
  }

  put(record: TokenRecord): void {
    this.#writer.write(() => {
      this.#db.run(
        `INSERT INTO tokens (id, name, browser, scopes, hash, created_ms, used_ms, expires_ms)
         VALUES (:id, :name, :browser, :scopes, :hash, :created_ms, :used_ms, :expires_ms)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, browser = excluded.browser, scopes = excluded.scopes, hash = excluded.hash,
           created_ms = excluded.created_ms, used_ms = excluded.used_ms, expires_ms = excluded.expires_ms`,
        {
          id: record.id,
          name: record.name,
          browser: record.browser,
          scopes: JSON.stringify(record.scopes),
          hash: record.hash,
          created_ms: record.createdMs,
          used_ms: record.usedMs,
          expires_ms: record.expiresMs,
        },
      );
      this.#writer.uses.delete(record.id);
    });
  }

  used(id: string, atMs: number): void {
    this.#writer.putUse(id, atMs);
  }

  remove(id: string): boolean {
    return this.#writer.write(() => this.#db.run("DELETE FROM tokens WHERE id = :id", { id }) > 0);
  }

  #record(row: Row): TokenRecord {
    const id = row["id"] as string;
    return {
      id,
      name: row["name"] as string,
      browser: browserOf(row["browser"]),
      scopes: stringsOf(row["scopes"]) as Scope[],
      hash: row["hash"] as string,
      createdMs: row["created_ms"] as number,
      usedMs: this.#writer.uses.get(id) ?? (row["used_ms"] as number | null),
      expiresMs: row["expires_ms"] as number | null,
    };
  }
}

/** Of a page's session stays one, whatever a later version noted there. */
function browserOf(cell: Cell | undefined): TokenRecord["browser"] {
  return typeof cell === "string" ? (BROWSERS.find((one) => one === cell) ?? "browser") : null;
}
