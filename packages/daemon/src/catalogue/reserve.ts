import { randomBytes } from "node:crypto";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** More than removing a transfer writes: pages of the log for the row, its indexes and what is overwritten. */
const BYTES = 256 * 1024;

/**
 * Room on the disk that is given up when there is none left: somebody who removes a transfer to make room must not be told that there is none to note it. Random
 * bytes, since some file systems keep no room for others.
 */
export class Reserve {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = path.join(folder, "reserve");
  }

  /** As far as the disk lets it: a full one has none to keep. */
  keep(): void {
    if (existsSync(this.#file)) return;
    try {
      writeFileSync(this.#file, randomBytes(BYTES), { mode: 0o600 });
    } catch {
      rmSync(this.#file, { force: true });
    }
  }

  /** Whether there was any. */
  giveUp(): boolean {
    if (!existsSync(this.#file)) return false;
    rmSync(this.#file, { force: true });
    return true;
  }
}
