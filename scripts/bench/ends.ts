import { fork, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { HEAP_OPTIONS } from "../../packages/cli/src/own-command.ts";
import { quietHooks } from "../../packages/cli/test/support/quiet-hooks.ts";
import { sealToNewFile } from "../../packages/core/src/node/sealing.ts";
import type { DownloaderReport, DownloaderTask } from "./ends-downloader-child.ts";
import type { FeederTask } from "./ends-feeder-child.ts";
import type { FeederReport } from "./ends-hops.ts";
import { CORPORA } from "./pack-corpora.ts";
import { median } from "./process-usage.ts";
import type { Row } from "./row.ts";

/** The first one does not count. */
const ROUNDS = 4;
const MODES = ["here", "thread"] as const;
type Mode = (typeof MODES)[number];
const MIB = 1024 * 1024;

/**
 * One downloader, which opens what arrives, fed as fast as it takes it by another process that is both relays and seeder: unpacking on its event loop, and in a
 * thread, in turns; the program does the second where there are many files. Ratios are of the second to the first.
 */
export async function benchEnds(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, make] of Object.entries(CORPORA)) {
    // One after the other: they are measured.
    // oxlint-disable-next-line no-await-in-loop
    rows.push(...(await benchCorpus(name, make)));
  }
  return rows;
}

async function benchCorpus(name: string, make: (folder: string) => Promise<void>): Promise<Row[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-bench-ends-"));
  const children: ChildProcess[] = [];
  try {
    const corpus = path.join(folder, "corpus");
    await mkdir(corpus);
    await make(corpus);
    const pack = path.join(folder, "pack");
    const sealing = {
      paths: [corpus],
      name: undefined,
      password: undefined,
      recipients: undefined,
      signal: new AbortController().signal,
    };
    const { digest, identity, sealed } = await sealToNewFile(pack, sealing, quietHooks);
    const psk = randomBytes(32).toString("base64");
    const root = digest.root.toString("base64");
    const feeder = start("ends-feeder-child.ts", folder, children);
    const pieceLayer = digest.pieceLayer.toString("base64");
    const given = await ask<FeederReport>(feeder, { pack, root, psk, pieceLayer });
    const { size } = await stat(pack);
    const task = { ...given, root, length: size, psk, identity: identity?.identity ?? "" };
    const reports: Record<Mode, DownloaderReport[]> = { here: [], thread: [] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const mode of round % 2 === 0 ? MODES : MODES.toReversed()) {
        const out = path.join(folder, `out-${round}-${mode}`);
        await mkdir(out);
        const child = start("ends-downloader-child.ts", folder, children);
        const ended = once(child, "exit");
        const isThreaded = mode === "thread";
        const report = await ask<DownloaderReport>(child, {
          ...task,
          folder: out,
          isThreaded,
        });
        await ended;
        if (round > 0) reports[mode].push(report);
      }
    }
    return rowsOf(name, reports, sealed.fileBytes);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}

function rowsOf(name: string, reports: Record<Mode, DownloaderReport[]>, fileBytes: number): Row[] {
  const gib = fileBytes / (1024 * MIB);
  const row = (what: string, unit: string, pick: (report: DownloaderReport) => number): Row[] => {
    const [here, thread] = MODES.map((mode) => median(reports[mode].map(pick))) as [number, number];
    return [
      { name: `ends: ${name}, on the event loop: ${what}`, value: here, unit },
      { name: `ends: ${name}, in a thread: ${what}`, value: thread, unit, ratio: thread / here },
    ];
  };
  return [
    ...row("downloaded and opened", "MiB/s", ({ openedSeconds }) => fileBytes / MIB / openedSeconds),
    ...row("CPU", "s/GiB", ({ cpuSeconds }) => cpuSeconds / gib),
    ...row("CPU of the event loop's thread", "s/GiB", ({ loopSeconds }) => loopSeconds / gib),
    ...row("event loop busy", "%", ({ utilization }) => 100 * utilization),
    ...row("99 % of its turns late by at most", "ms", ({ lateMs }) => lateMs),
    ...row("peak memory", "MiB", ({ peakMiB }) => peakMiB),
  ];
}

/** With the program's own options, and what it compiled kept, as the program keeps it. */
function start(file: string, folder: string, children: ChildProcess[]): ChildProcess {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: [...HEAP_OPTIONS],
    env: { ...process.env, NODE_COMPILE_CACHE: path.join(folder, "compiled") },
  });
  children.push(child);
  return child;
}

async function ask<Report>(child: ChildProcess, task: FeederTask | DownloaderTask): Promise<Report> {
  child.send(task);
  const failed = once(child, "exit").then(() => {
    throw new Error("a process of the benchmark ended early");
  });
  failed.catch(() => {});
  const [report] = (await Promise.race([once(child, "message"), failed])) as [Report];
  return report;
}
