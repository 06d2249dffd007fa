/** Opens a catalogue with two more versions and is killed in the middle of the one in argv. argv: data folder, how many versions later. */
import { systemClock } from "@backroom/core/base/clock.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { MIGRATIONS } from "../../src/catalogue/migrations.ts";
import { openCatalogue } from "../../src/catalogue/open-catalogue.ts";
import { laterVersions } from "../support/catalogue-versions.ts";

const [dataFolder = "", later = ""] = process.argv.slice(2);
const last = (MIGRATIONS.at(-1)?.version ?? 0) + Number(later);
const migrations = laterVersions(2, (version) => {
  if (version === last) process.kill(process.pid, "SIGKILL");
});
openCatalogue(dataFolder, { clock: systemClock, log: silentLog }, migrations);
