import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRandom } from "../../packages/core/src/base/random.ts";
import { generateIdentity, type AgeIdentity } from "../../packages/core/src/pack/age-keys.ts";
import { CORPORA } from "./pack-corpora.ts";
import { median } from "./process-usage.ts";
import type { Row } from "./row.ts";

const ROUNDS = 3;
const CHILD = join(import.meta.dirname, "pack-child.ts");

interface Run {
  readonly seconds: number;
  /** Until the process does what it is for; not known for pipelines. */
  readonly startSeconds: number;
  readonly cpuSeconds: number;
  /** Resident memory of the process at its peak; not known for pipelines. */
  readonly peakMiB: number;
}

/**
 * Seals and opens each corpus, every time in a process of its own whose start counts, in turn with `tar | zstd -3 -T0 | age` and its reverse.
 * Ours also computes the Merkle tree, the pipeline does not. Ratios are medians of the rounds' ratios, after a round that does not count; it
 * fills Node's compile cache, as the release needs no type stripping.
 */
export async function benchPack(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, make] of Object.entries(CORPORA)) {
    const folder = await mkdtemp(join(tmpdir(), "backroom-bench-"));
    try {
      await mkdir(join(folder, "corpus"));
      await make(join(folder, "corpus"));
      rows.push(...(await benchCorpus(name, folder)));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return rows;
}

async function benchCorpus(name: string, folder: string): Promise<Row[]> {
  const identity = generateIdentity(systemRandom);
  await writeFile(join(folder, "key"), `${identity.identity}\n`);
  const seals: Pair[] = [];
  const opens: Pair[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const { seal, open } = await runRound(folder, identity, round);
    if (round === 0) continue;
    seals.push(seal);
    opens.push(open);
  }
  const size = (await stat(join(folder, "ours"))).size;
  const ratio = size / (await stat(join(folder, "stock"))).size;
  return [
    ...rowsOf(`seal ${name}`, seals),
    ...rowsOf(`open ${name}`, opens),
    { name: `size of the pack, ${name}`, value: size / 2 ** 20, unit: "MiB", ratio },
  ];
}

interface Pair {
  readonly ours: Run;
  readonly stock: Run;
}

/** What is opened stays until the corpus is done: for minutes after many files were removed, some file systems
 * (ext4 without a journal) make new ones ten times slower. */
async function runRound(
  folder: string,
  identity: AgeIdentity,
  round: number,
): Promise<{ seal: Pair; open: Pair }> {
  const sealing = `tar -cf - -C "$0" corpus | zstd -q -3 -T0 | age -r ${identity.recipient} > "$0/stock"`;
  const opening = 'age -d -i "$0/key" "$0/stock" | zstd -qd | tar -xf - -C "$0/stock-out"';
  const outputs = join(folder, `outputs ${round}`);
  const seal = await inTurn(
    round,
    () => runOurs("seal", folder, identity.recipient),
    () => runStock(sealing, folder),
  );
  await mkdir(join(folder, "stock-out"));
  const open = await inTurn(
    round,
    () => runOurs("open", folder, identity.identity),
    () => runStock(opening, folder),
  );
  await mkdir(outputs);
  for (const made of ["ours-out", "stock-out"]) await rename(join(folder, made), join(outputs, made));
  return { seal, open };
}

/** Ours first in every other round: whoever comes first shares the disk with what the step before left to be written. */
async function inTurn(round: number, ours: () => Promise<Run>, stock: () => Promise<Run>): Promise<Pair> {
  if (round % 2 === 0) return { ours: await ours(), stock: await stock() };
  const stockFirst = await stock();
  return { ours: await ours(), stock: stockFirst };
}

function rowsOf(name: string, pairs: readonly Pair[]): Row[] {
  const row = (what: string, pick: (run: Run) => number): Row => ({
    name: `${name}, ${what}`,
    value: median(pairs.map(({ ours }) => pick(ours))),
    unit: "s",
    ratio: median(pairs.map(({ ours, stock }) => pick(ours) / pick(stock))),
  });
  const peak = Math.max(...pairs.map(({ ours }) => ours.peakMiB));
  const start = median(pairs.map(({ ours }) => ours.startSeconds));
  return [
    row("time", (run) => run.seconds),
    { name: `${name}, of which start of the process`, value: start, unit: "s" },
    row("processor time", (run) => run.cpuSeconds),
    { name: `${name}, peak memory`, value: peak, unit: "MiB" },
  ];
}

async function runOurs(task: "seal" | "open", folder: string, key: string): Promise<Run> {
  const started = performance.now();
  const output = await run(process.execPath, [CHILD, task, folder, key], {
    NODE_COMPILE_CACHE: join(folder, "compiled"),
  });
  const seconds = (performance.now() - started) / 1000;
  return { ...(JSON.parse(output) as Omit<Run, "seconds">), seconds };
}

/** bash's own `time`, which counts every process of the pipeline. */
async function runStock(pipeline: string, folder: string): Promise<Run> {
  const line = `set -o pipefail; TIMEFORMAT="%R %U %S"; { time { ${pipeline}; }; } 2>&1`;
  const output = await run("bash", ["-c", line, folder]);
  const [seconds, user, system] = output.trim().split(" ").map(Number);
  if (seconds === undefined || user === undefined || system === undefined)
    throw new Error(`no times in: ${output}`);
  return { seconds, cpuSeconds: user + system, startSeconds: Number.NaN, peakMiB: Number.NaN };
}

function run(program: string, args: string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...environment },
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${program} ended with ${code}`)),
    );
  });
}
