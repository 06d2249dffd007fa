/**
 * `npm run sim [-- --write FILE] [--seed TEXT] [--most MEMBERS] [PART…]`: simulates networks and prints what grows with their size as tables; parts are
 * town, directory, sybil, lookups and intersection, all by default. With `--write` each table takes its place in that document. The same seed gives the
 * same tables, to the last digit. `--most` leaves larger towns out.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runDirectory } from "./directory-run.ts";
import { runSybil } from "./sybil-run.ts";
import { runLookups, runTown, TOWN_SIZES } from "./town-run.ts";
import { runIntersection } from "./intersection.ts";
import { formatTable, withTable, type Table } from "./report.ts";

const { values, positionals } = parseArgs({
  options: {
    write: { type: "string" },
    seed: { type: "string", default: "1" },
    most: { type: "string", default: "1000" },
  },
  allowPositionals: true,
});
const most = Number(values.most);

const PARTS: Record<string, (seed: string) => Promise<Table[]>> = {
  town: (seed) =>
    runTown(
      seed,
      TOWN_SIZES.filter((members) => members <= most),
    ),
  directory: (seed) => runDirectory(seed),
  sybil: runSybil,
  lookups: runLookups,
  intersection: async (seed) => [runIntersection(seed)],
};

const unknown = positionals.filter((name) => PARTS[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(
    `there is no part ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}\n`,
  );
  process.exit(2);
}
for (const [name, run] of Object.entries(PARTS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const before = process.cpuUsage();
  const tables = await run(values.seed);
  const made = madeBy(name, process.cpuUsage(before));
  for (const table of tables) {
    process.stdout.write(`${table.name}\n\n${formatTable(table)}\n\n${made}\n\n`);
    if (values.write !== undefined) {
      writeFileSync(values.write, withTable(readFileSync(values.write, "utf8"), table, made));
    }
  }
}

/** The time of a core and not of the clock, which says how busy the machine was with other things. */
function madeBy(part: string, { user, system }: NodeJS.CpuUsage): string {
  const seed = values.seed === "1" ? "" : ` --seed ${values.seed}`;
  const fewer = part === "town" && values.most !== "1000" ? ` --most ${values.most}` : "";
  return `\`npm run sim --${seed}${fewer} ${part}\`, ${Math.round((user + system) / 1e6)} s of a core.`;
}
