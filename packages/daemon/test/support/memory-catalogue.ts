import { DatabaseSync } from "node:sqlite";
import { systemClock, type Clock } from "@backroom/core/base/clock.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { Database } from "../../src/catalogue/database.ts";
import { migrate } from "../../src/catalogue/migrate.ts";
import { MIGRATIONS } from "../../src/catalogue/migrations.ts";
import { SqliteCatalogue } from "../../src/catalogue/sqlite-catalogue.ts";
import { Writer } from "../../src/catalogue/writer.ts";

/** A catalogue without a file, for tests of what stands on one. */
export function memoryCatalogue(clock: Clock = systemClock): Catalogue {
  const raw = new DatabaseSync(":memory:");
  migrate(raw, MIGRATIONS);
  const db = new Database(raw);
  const writer = new Writer(db, { clock, log: silentLog }, { change() {}, cleaned() {} });
  return new SqliteCatalogue(db, writer, {
    backups: { removed() {}, close() {} },
    reserve: { keep() {}, giveUp: () => false },
  });
}
