import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { silentLog, type Log } from "@backroom/core/base/log.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { catalogueIn } from "../../src/catalogue/files.ts";
import type { Migration } from "../../src/catalogue/migrations.ts";
import { openCatalogue, type OpenedCatalogue } from "../../src/catalogue/open-catalogue.ts";

/** A data folder with a catalogue that is opened again and again, and what lies in it. Goes with the test. */
export class TestCatalogue {
  readonly dataFolder: string;
  readonly clock = new ManualClock();
  /** The events of the log. */
  readonly logged: string[] = [];
  readonly #log: Log = (level, event) => {
    this.logged.push(event);
    silentLog(level, event);
  };
  #opened: OpenedCatalogue | undefined;

  constructor(t: TestContext) {
    this.dataFolder = mkdtempSync(path.join(tmpdir(), "catalogue-"));
    t.after(() => {
      this.close();
      rmSync(this.dataFolder, { recursive: true });
    });
  }

  get folder(): string {
    return catalogueIn(this.dataFolder).folder;
  }

  get main(): string {
    return catalogueIn(this.dataFolder).main;
  }

  open(migrations?: readonly Migration[]): OpenedCatalogue {
    this.close();
    this.#opened = openCatalogue(this.dataFolder, { clock: this.clock, log: this.#log }, migrations);
    return this.#opened;
  }

  close(): void {
    this.#opened?.catalogue.close();
    this.#opened = undefined;
  }

  /** Names in the catalogue's folder that begin with `start`. */
  names(start = ""): string[] {
    return readdirSync(this.folder)
      .filter((name) => name.startsWith(start))
      .toSorted();
  }

  /** Names of the files that hold `text`. */
  filesWith(text: string): string[] {
    return this.names().filter((name) => readFileSync(path.join(this.folder, name)).includes(text));
  }
}
