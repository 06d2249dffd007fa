/**
 * `npm run bench [-- --json] [-- pack|swarm|ends|circuit|line|relay|page|daemon]`: medians of several runs, each measured beside something stock in the same run.
 */
import { benchCircuit } from "./circuit.ts";
import { benchEnds } from "./ends.ts";
import { benchLine } from "./line.ts";
import { benchDaemon } from "./daemon.ts";
import { benchPack } from "./pack.ts";
import { benchPage } from "./page.ts";
import { benchRelay } from "./relay.ts";
import type { Row } from "./row.ts";
import { benchSwarm } from "./swarm.ts";

const BENCHES: Record<string, () => Promise<Row[]>> = {
  pack: benchPack,
  swarm: benchSwarm,
  ends: benchEnds,
  circuit: benchCircuit,
  line: benchLine,
  relay: benchRelay,
  page: benchPage,
  daemon: benchDaemon,
};

const args = process.argv.slice(2);
const json = args.includes("--json");
const wanted = args.filter((argument) => !argument.startsWith("--"));
const unknown = wanted.filter((name) => BENCHES[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(
    `there is no benchmark ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}\n`,
  );
  process.exit(2);
}
for (const [name, run] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const row of await run()) process.stdout.write(`${json ? JSON.stringify(row) : format(row)}\n`);
}

function format({ name, value, unit, ratio }: Row): string {
  const figure = `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`;
  return `${name.padEnd(60)} ${figure.padStart(14)}${ratio === undefined ? "" : `   ×${ratio.toFixed(3)}`}`;
}
