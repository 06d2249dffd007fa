/**
 * What a catalogue does on a disk that is small, full, or read-only. argv: data folder, what to do: `fill` puts until it fails, then removes a transfer, makes room by removing the file in
 * $BALLAST and puts again; `start` opens, lists and puts. Says in a line of JSON what came of it.
 */
import { rmSync } from "node:fs";
import { systemClock } from "@backroom/core/base/clock.ts";
import { codeOf } from "@backroom/core/base/errors.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { openCatalogue } from "../../src/catalogue/open-catalogue.ts";
import { transferOf } from "../support/transfer-record.ts";

const [dataFolder = "", what = ""] = process.argv.slice(2);
const said: Record<string, unknown> = { what };
try {
  const { catalogue, recovery } = openCatalogue(dataFolder, { clock: systemClock, log: silentLog });
  said["isRecovered"] = recovery !== undefined;
  said["before"] = catalogue.list({ limit: 1 }).total;
  said["put"] = outcome(() => {
    const end = what === "fill" ? Infinity : 1;
    for (let index = Number(said["before"]); index < end; index++) catalogue.put(transferOf(index));
  });
  said["total"] = catalogue.list({ limit: 1 }).total;
  catalogue.check();
  if (what === "fill") {
    said["together"] = outcome(() =>
      catalogue.together(() => {
        for (let index = 100_000; index < 110_000; index++) outcome(() => catalogue.put(transferOf(index)));
      }),
    );
    said["totalThen"] = catalogue.list({ limit: 1 }).total;
    said["removed"] = outcome(() => catalogue.remove(transferOf(0).id));
    rmSync(process.env["BALLAST"] ?? "");
    said["withRoom"] = outcome(() => catalogue.put(transferOf(90_000)));
    said["totalLast"] = catalogue.list({ limit: 1 }).total;
  }
  said["closed"] = outcome(() => catalogue.close());
} catch (error) {
  said["code"] = codeOf(error);
}
process.stdout.write(`${JSON.stringify(said)}\n`);

function outcome(work: () => unknown): string {
  try {
    work();
    return "done";
  } catch (error) {
    return codeOf(error);
  }
}
