/**
 * Writes to a catalogue until it is killed, and says what it was told is done. argv: data folder, number to begin with. Its clock is in a hurry, so that
 * counts are written and backups are made all the time, too.
 */
import { writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { systemClock, type Clock } from "@backroom/core/base/clock.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { openCatalogue } from "../../src/catalogue/open-catalogue.ts";
import { transferOf } from "../support/transfer-record.ts";

const [dataFolder = "", first = ""] = process.argv.slice(2);
const clock: Clock = { ...systemClock, after: (_, run) => systemClock.after(1, run) };
const { catalogue } = openCatalogue(dataFolder, { clock, log: silentLog });
for (let index = Number(first); ; index++) {
  catalogue.together(() => {
    catalogue.put(transferOf(index));
    catalogue.putValue("last", index);
  });
  writeSync(1, `put ${index}\n`);
  catalogue.putProgress(transferOf(index).id, { doneBytes: index, downloadedBytes: 0, uploadedBytes: 0 });
  if (index % 3 === 0) {
    catalogue.remove(transferOf(index).id);
    writeSync(1, `remove ${index}\n`);
  }
  await setImmediate();
}
