import type { Clock } from "@backroom/core/base/clock.ts";
import { codeOf } from "@backroom/core/base/errors.ts";
import type { Log } from "@backroom/core/base/log.ts";
import type { TransferRecord } from "./catalogue.ts";
import type { Database } from "./database.ts";
import { countsRow } from "./transfer-row.ts";

/** What a crash may lose of the counts, against a disk that is woken again and again. */
const LATE_MS = 2_000;

export type Progress = Pick<TransferRecord, "doneBytes" | "downloadedBytes" | "uploadedBytes">;

export interface WriterDeps {
  readonly clock: Clock;
  readonly log: Log;
}

export interface WriterEvents {
  /** Something was written for good. */
  change(): void;
  /** Some seconds after something was removed. */
  cleaned(): void;
}

/**
 * Decides when what is written reaches the disk. `write` waits for it: a person has been told «done», and a power cut must not take that back, so the file is
 * opened with `synchronous = FULL` (with `NORMAL`, a commit would outlast the process, not the power). Counts wait in memory for a while and are then written
 * without waiting for the disk; whoever reads lays them over what the file says.
 */
export class Writer {
  readonly #db: Database;
  readonly #deps: WriterDeps;
  readonly #on: WriterEvents;
  /** Counts by transfer, and when tokens were used, that are not in the file yet. */
  readonly progress = new Map<string, Progress>();
  readonly uses = new Map<string, number>();
  #hasRemains = false;
  #cancelTimer: (() => void) | undefined;
  #isFailing = false;

  constructor(db: Database, deps: WriterDeps, on: WriterEvents) {
    this.#db = db;
    this.#deps = deps;
    this.#on = on;
  }

  /** Runs `work` as one transaction, on the disk when this returns. Inside another one it is a part of that one. */
  write<T>(work: () => T): T {
    const progress = new Map(this.progress);
    const uses = new Map(this.uses);
    let result: T;
    try {
      result = this.#db.transaction(work);
    } catch (error) {
      // What `work` did away with, since it wrote something newer.
      for (const [id, one] of progress) if (!this.progress.has(id)) this.progress.set(id, one);
      for (const [id, atMs] of uses) if (!this.uses.has(id)) this.uses.set(id, atMs);
      throw error;
    }
    this.#on.change();
    return result;
  }

  /** As `write`, but without waiting for the disk: it outlasts the process, and is lost in a power cut of the next seconds. Not inside `write`. */
  writeSoon<T>(work: () => T): T {
    this.#db.exec("PRAGMA synchronous = NORMAL");
    try {
      return this.#db.transaction(work);
    } finally {
      this.#db.exec("PRAGMA synchronous = FULL");
    }
  }

  putProgress(id: string, progress: Progress): void {
    const { doneBytes, downloadedBytes, uploadedBytes } = progress;
    if (
      ![doneBytes, downloadedBytes, uploadedBytes].every((count) => Number.isSafeInteger(count) && count >= 0)
    ) {
      // The table's checks would refuse it later, and with it all other counts.
      throw new RangeError("a count of bytes is no whole number");
    }
    this.progress.set(id, progress);
    this.#soon();
  }

  putUse(id: string, atMs: number): void {
    this.uses.set(id, atMs);
    this.#soon();
  }

  /** To be called after something secret was removed or replaced: the write-ahead log has it still, until it is emptied. */
  leaveNoRemains(): void {
    this.#hasRemains = true;
    this.#soon();
  }

  /** Writes what waits. Raises what a write raises, and then it still waits. */
  flush(): void {
    if (this.progress.size > 0 || this.uses.size > 0) {
      this.writeSoon(() => this.#writeCounts());
      this.progress.clear();
      this.uses.clear();
    }
    if (this.#hasRemains) {
      this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      this.#hasRemains = false;
      this.#on.cleaned();
    }
  }

  close(): void {
    this.#cancelTimer?.();
    this.flush();
  }

  #writeCounts(): void {
    for (const [id, progress] of this.progress) {
      this.#db.run(
        `UPDATE counts SET done_bytes = :done_bytes, downloaded_bytes = :downloaded_bytes, uploaded_bytes = :uploaded_bytes WHERE transfer = :id`,
        countsRow(id, progress),
      );
    }
    for (const [id, at_ms] of this.uses)
      this.#db.run("UPDATE tokens SET used_ms = :at_ms WHERE id = :id", { id, at_ms });
  }

  #soon(): void {
    this.#cancelTimer ??= this.#deps.clock.after(LATE_MS, () => {
      this.#cancelTimer = undefined;
      try {
        this.flush();
        this.#isFailing = false;
      } catch (error) {
        // Said once: a disk that is full stays so for a while, and nothing but counts is lost.
        if (!this.#isFailing)
          this.#deps.log("warn", "counts could not be written to the catalogue", { code: codeOf(error) });
        this.#isFailing = true;
        this.#soon();
      }
    });
  }
}
