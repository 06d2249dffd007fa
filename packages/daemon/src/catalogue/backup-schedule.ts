import type { Clock } from "@backroom/core/base/clock.ts";
import { codeOf } from "@backroom/core/base/errors.ts";
import type { Log } from "@backroom/core/base/log.ts";
import { listBackups, makeBackup } from "./backups.ts";
import type { Database } from "./database.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** One backup a day, of a day on which something changed. No timer runs while nothing does. */
export class BackupSchedule {
  readonly #db: Database;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancelTimer: (() => void) | undefined;

  constructor(db: Database, folder: string, { clock, log }: { clock: Clock; log: Log }) {
    this.#db = db;
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
  }

  /** To be called after each change, and at the start, when nobody knows when the last change was. */
  changed(): void {
    if (this.#cancelTimer !== undefined) return;
    const newestMs = listBackups(this.#folder).find(({ reason }) => reason === "day")?.madeMs ?? 0;
    // A clock that was ahead must not keep backups away until it is then.
    const sinceMs = Math.max(0, this.#clock.nowMs() - newestMs);
    this.#cancelTimer = this.#clock.after(Math.max(0, DAY_MS - sinceMs), () => this.#make());
  }

  close(): void {
    this.#cancelTimer?.();
  }

  #make(): void {
    this.#cancelTimer = undefined;
    try {
      makeBackup(this.#db, this.#folder, "day", this.#clock.nowMs());
    } catch (error) {
      this.#log("warn", "the catalogue could not be backed up", { code: codeOf(error) });
    }
  }
}
