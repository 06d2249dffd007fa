import type { Clock } from "@backroom/core/base/clock.ts";
import { codeOf } from "@backroom/core/base/errors.ts";
import type { Log } from "@backroom/core/base/log.ts";
import { listBackups, makeBackup, removeBackups } from "./backups.ts";
import type { Database } from "./database.ts";

/** What damage may cost, besides packs and their links, which are found again. */
const BETWEEN_MS = 60 * 60 * 1000;
/** What comes together is backed up together, and not while the daemon starts. */
const SETTLE_MS = 60 * 1000;

/** A backup at most once an hour, when something changed. No timer runs while nothing does. */
export class BackupSchedule {
  readonly #db: Database;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancelTimer: (() => void) | undefined;
  #wasRemoved = false;

  constructor(db: Database, folder: string, { clock, log }: { clock: Clock; log: Log }) {
    this.#db = db;
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
  }

  /** To be called after each change, and at the start, when nobody knows when the last change was. */
  changed(): void {
    if (this.#cancelTimer !== undefined) return;
    const newestMs = listBackups(this.#folder).find(({ reason }) => reason === "regular")?.madeMs ?? 0;
    // A clock that was ahead must not keep backups away until it is then.
    const sinceMs = Math.max(0, this.#clock.nowMs() - newestMs);
    this.#cancelTimer = this.#clock.after(Math.max(SETTLE_MS, BETWEEN_MS - sinceMs), () => this.#make());
  }

  /** Something was removed that older backups have still: they go once there is a newer one. */
  removed(): void {
    this.#wasRemoved = true;
  }

  close(): void {
    this.#cancelTimer?.();
  }

  #make(): void {
    this.#cancelTimer = undefined;
    try {
      const older = listBackups(this.#folder).filter(({ reason }) => reason === "regular");
      makeBackup(this.#db, this.#folder, "regular", this.#clock.nowMs());
      if (this.#wasRemoved) removeBackups(older);
      this.#wasRemoved = false;
    } catch (error) {
      this.#log("warn", "the catalogue could not be backed up", { code: codeOf(error) });
    }
  }
}
