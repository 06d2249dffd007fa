import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, open, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRandom } from "../../packages/core/src/base/random.ts";
import { generateIdentity } from "../../packages/core/src/pack/age-keys.ts";
import type { Row } from "./row.ts";

const MiB = 1024 * 1024;
const HALF = 256 * MiB;
const ROUNDS = 3;
const CHILD = join(import.meta.dirname, "pack-child.ts");

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Resident memory of the process at its peak; not known for pipelines. */
  readonly peakMiB: number;
}

/**
 * Seals and opens 512 MiB, half random and half programs and libraries, each in a process of its own, in turn with
 * `tar | zstd -3 -T0 | age` and its reverse. Ours also computes the Merkle tree, the pipeline does not. Medians of three.
 */
export async function benchPack(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "backroom-bench-"));
  try {
    await makeCorpus(join(folder, "corpus"));
    const identity = generateIdentity(systemRandom);
    await writeFile(join(folder, "key"), `${identity.identity}\n`);
    const ours = { seal: [] as Run[], open: [] as Run[] };
    const stock = { seal: [] as Run[], open: [] as Run[] };
    for (let round = 0; round < ROUNDS; round++) {
      ours.seal.push(await runOurs("seal", folder, identity.recipient));
      stock.seal.push(
        await runStock(
          `tar -cf - -C "$0" corpus | zstd -q -3 -T0 | age -r ${identity.recipient} > "$0/stock"`,
          folder,
        ),
      );
      ours.open.push(await runOurs("open", folder, identity.identity));
      await mkdir(join(folder, "stock-out"));
      stock.open.push(
        await runStock('age -d -i "$0/key" "$0/stock" | zstd -qd | tar -xf - -C "$0/stock-out"', folder),
      );
      for (const made of ["ours-out", "stock-out"]) await rm(join(folder, made), { recursive: true });
    }
    const size = (await stat(join(folder, "ours"))).size / (await stat(join(folder, "stock"))).size;
    return [
      ...rows("seal 512 MiB", ours.seal, stock.seal),
      ...rows("open 512 MiB", ours.open, stock.open),
      { name: "pack size against the pipeline's", value: size, unit: "ratio", ratio: size },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function rows(name: string, ours: Run[], stock: Run[]): Row[] {
  const ratio = (pick: (run: Run) => number): Row => {
    const value = median(ours.map((run) => pick(run)));
    return { name: "", value, unit: "s", ratio: value / median(stock.map((run) => pick(run))) };
  };
  return [
    { ...ratio((run) => run.seconds), name: `${name}, time` },
    { ...ratio((run) => run.cpuSeconds), name: `${name}, processor time` },
    { name: `${name}, peak memory`, value: median(ours.map((run) => run.peakMiB)), unit: "MiB" },
  ];
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

async function runOurs(task: "seal" | "open", folder: string, key: string): Promise<Run> {
  const started = performance.now();
  const output = await run(process.execPath, [CHILD, task, folder, key]);
  const { cpuSeconds, peakMiB } = JSON.parse(output) as { cpuSeconds: number; peakMiB: number };
  return { seconds: (performance.now() - started) / 1000, cpuSeconds, peakMiB };
}

/** bash's own `time`, which counts every process of the pipeline. */
async function runStock(pipeline: string, folder: string): Promise<Run> {
  const line = `set -o pipefail; TIMEFORMAT="%R %U %S"; { time { ${pipeline}; }; } 2>&1`;
  const output = await run("bash", ["-c", line, folder]);
  const [seconds, user, system] = output.trim().split(" ").map(Number);
  if (seconds === undefined || user === undefined || system === undefined)
    throw new Error(`no times in: ${output}`);
  return { seconds, cpuSeconds: user + system, peakMiB: Number.NaN };
}

function run(program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${program} ended with ${code}`)),
    );
  });
}

async function makeCorpus(folder: string): Promise<void> {
  await mkdir(folder);
  const random = await open(join(folder, "random"), "wx");
  for (let done = 0; done < HALF; done += MiB) await random.write(randomBytes(MiB));
  await random.close();
  let left = HALF;
  for await (const path of programs()) {
    const bytes = (await readFile(path)).subarray(0, left);
    await writeFile(join(folder, `program ${left}`), bytes);
    left -= bytes.length;
    if (left === 0) return;
  }
}

/** Node's own program makes up for what is missing, so that there is enough everywhere. */
async function* programs(): AsyncGenerator<string> {
  for (const folder of ["/usr/lib", "/usr/bin"]) {
    for (const item of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
      const path = join(item.parentPath, item.name);
      if (item.isFile() && (await stat(path)).size > 64 * 1024) yield path;
    }
  }
  for (;;) yield process.execPath;
}
