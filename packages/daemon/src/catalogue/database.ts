import { BackroomError } from "@backroom/core/base/errors.ts";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { checkDatabase, checkTransfers } from "./check.ts";
import type { Row } from "./transfer-row.ts";
import { withCatalogueErrors } from "./sqlite-error.ts";

/** How long another process may hold the file: long enough for one that is just ending. */
export const BUSY_MS = 1_000;

/** One connection with its statements, compiled once each, and its transactions. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Of transactions inside each other. */
  #depth = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** `sql` must be a text that stands in the source: what comes from outside is bound. */
  all(sql: string, values: Row = {}): Row[] {
    return this.#run(() => this.#statement(sql).all(values) as Row[]);
  }

  get(sql: string, values: Row = {}): Row | undefined {
    return this.#run(() => this.#statement(sql).get(values) as Row | undefined);
  }

  /** How many rows it changed. */
  run(sql: string, values: Row = {}): number {
    return this.#run(() => Number(this.#statement(sql).run(values).changes));
  }

  /** Whole or not at all. Inside another one it is a part of that one, and can fail without it. */
  transaction<T>(work: () => T): T {
    const isPart = this.#depth > 0;
    if (isPart && !this.#db.isTransaction)
      throw new BackroomError("E_STORE", "an earlier part of this write failed");
    this.exec(isPart ? "SAVEPOINT part" : "BEGIN IMMEDIATE");
    this.#depth++;
    try {
      const result = work();
      this.exec(isPart ? "RELEASE part" : "COMMIT");
      return result;
    } catch (error) {
      // A full disk or a damaged page has ended it by itself.
      if (this.#db.isTransaction) this.exec(isPart ? "ROLLBACK TO part; RELEASE part" : "ROLLBACK");
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** For statements without values and results. */
  exec(sql: string): void {
    this.#run(() => this.#db.exec(sql));
  }

  /** Raises E_CATALOGUE_DAMAGED. */
  check(): void {
    this.#run(() => {
      checkDatabase(this.#db);
      checkTransfers(this.#db);
    });
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#db.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }

  #run<T>(work: () => T): T {
    return withCatalogueErrors("the catalogue could not be read or written", work);
  }
}
