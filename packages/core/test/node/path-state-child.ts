/** Opens the paths kept in the data folder that it is given, and saves them again and again, a little changed, until it is killed. Says "." after each. */
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import { openDataFolder } from "../../src/node/data-folder.ts";
import { PathStore } from "../../src/node/path-store.ts";
import { NETWORK, plainInfos } from "../directory/fixtures.ts";

const relays = plainInfos(300);
const folder = await openDataFolder(process.argv[2]);
const store = await PathStore.open(folder, NETWORK, {
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
});
for (let turn = 0; ; turn++) {
  const [guard] = store.guards.among(relays);
  if (guard !== undefined) store.guards.count(guard.key, "build", true);
  store.measurements.noteRate(relays[turn % relays.length]?.key ?? "", 1000 + turn);
  await store.save();
  process.stdout.write(".");
}
