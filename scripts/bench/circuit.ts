import { randomFillSync } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommandProcess } from "../../packages/cli/src/demo/children.ts";
import { TestNetwork } from "../../packages/cli/test/support/network.ts";
import { measureFileWrite } from "./file-write.ts";
import { median, usageOf, type Usage } from "./process-usage.ts";
import type { Row } from "./row.ts";
import { measureTls, type TlsResult } from "./tls-stream.ts";
import { measureTor, rowsBeside } from "./tor.ts";

const MIB = 1024 * 1024;
/** A GiB: the unit that processor time is given in, so that starting and joining count once in it. */
const FILE_MIB = 1024;
/** The first one does not count: relays run for months, and what they run is compiled by then. The downloader is a new process each time. */
const RUNS = 6;
const RELAYS = 7;
/** A path of two relays, a gate and two relays. One relay may stand on it twice, once for each side. */
const HOPS = 5;
/** In s/GiB: a relay that took more stood on the path, and the others only talked. */
const CARRIED = 0.5;
const DOWNLOAD = "circuit 2 + gate + 2: download";
const CPU_OF_ALL = "circuit: CPU, all processes";

interface Run {
  readonly mibPerSecond: number;
  readonly firstByteSeconds: number;
  readonly cpu: { readonly seeder: number; readonly downloader: number; readonly relays: readonly number[] };
}

/**
 * A download of incompressible data from one seeder through 2 + gate + 2 relays, every party a process on this machine, beside a plain TLS stream
 * on loopback in the same run, and a Tor onion service after it. CPU seconds are per GiB of file. The time counts from the first verified piece to the last.
 */
export async function benchCircuit(): Promise<Row[]> {
  const ours = await benchOurs();
  const valueOf = (wanted: string): number => ours.find(({ name }) => name === wanted)?.value ?? Number.NaN;
  const tor = await measureTor();
  return [
    ...ours,
    ...(tor === undefined ? [] : rowsBeside({ rate: valueOf(DOWNLOAD), cpu: valueOf(CPU_OF_ALL) }, tor)),
  ];
}

async function benchOurs(): Promise<Row[]> {
  const network = await TestNetwork.start(RELAYS);
  try {
    await writeRandom(network.path("film.bin"), FILE_MIB);
    const seeder = await network.run("seeder", ["share", network.path("film.bin")]);
    const { link } = await seeder.line((line) => line.event === "result");
    const relays = network.processes().filter((one) => one.name.startsWith("relay"));
    const runs: Run[] = [];
    const tls: TlsResult[] = [];
    const writes: number[] = [];
    let downloaderPeak = 0;
    for (let number = 1; number <= RUNS; number++) {
      const { run, peakMiB } = await download(network, String(link), number, seeder, relays);
      if (number === 1) continue;
      tls.push(await measureTls(1024));
      // As much as a download writes, so that it finds memory as a download finds it.
      writes.push(await measureFileWrite(network.path("written.bin"), 2 * FILE_MIB));
      runs.push(run);
      downloaderPeak = Math.max(downloaderPeak, peakMiB);
    }
    const peaks = {
      seeder: usageOf(seeder.pid).peakMiB,
      relay: Math.max(...relays.map(({ pid }) => usageOf(pid).peakMiB)),
    };
    return [
      ...rows(runs, tls, { ...peaks, downloader: downloaderPeak }),
      { name: "writing a new file (a download writes two): CPU", value: median(writes), unit: "s/GiB" },
    ];
  } finally {
    await network.close();
  }
}

async function download(
  network: TestNetwork,
  link: string,
  number: number,
  seeder: CommandProcess,
  relays: readonly CommandProcess[],
): Promise<{ run: Run; peakMiB: number }> {
  const out = network.path(`out-${number}`);
  await mkdir(out);
  const parties = [seeder, ...relays];
  const before = new Map(parties.map((one) => [one.name, usageOf(one.pid).cpuSeconds]));
  const startedMs = performance.now();
  const downloader = await network.run(`downloader ${number}`, ["get", "-o", out, link]);
  const isDownload = (line: Record<string, unknown>): boolean => line["label"] === "Downloading";
  await downloader.line((line) => isDownload(line) && Number(line["done"]) > 0);
  const firstMs = performance.now();
  let usage: Usage = { cpuSeconds: 0, peakMiB: 0 };
  const watching = setInterval(() => {
    if (downloader.running) usage = usageOf(downloader.pid);
  }, 50);
  await downloader.line((line) => isDownload(line) && line["done"] === line["total"]);
  const seconds = (performance.now() - firstMs) / 1000;
  const gib = FILE_MIB / 1024;
  const spent = (one: CommandProcess): number =>
    (usageOf(one.pid).cpuSeconds - (before.get(one.name) ?? 0)) / gib;
  const cpu = { seeder: spent(seeder), relays: relays.map(spent) };
  await downloader.line((line) => line.event === "result");
  clearInterval(watching);
  await downloader.ended();
  // What was written has cost its time; left there, it would push what is measured next out of memory.
  await rm(out, { recursive: true });
  await sleep(500);
  return {
    run: {
      mibPerSecond: FILE_MIB / seconds,
      firstByteSeconds: (firstMs - startedMs) / 1000,
      cpu: { ...cpu, downloader: usage.cpuSeconds / gib },
    },
    peakMiB: usage.peakMiB,
  };
}

function rows(
  runs: readonly Run[],
  tls: readonly TlsResult[],
  peaks: Record<"seeder" | "relay" | "downloader", number>,
): Row[] {
  const tlsRate = median(tls.map((one) => one.mibPerSecond));
  const tlsCpu = median(tls.map((one) => one.cpuSecondsPerGiB));
  const of = (pick: (run: Run) => number): number => median(runs.map(pick));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const all = of((run) => run.cpu.seeder + run.cpu.downloader + sum(run.cpu.relays));
  const cpu = (name: string, value: number): Row => ({
    name,
    value,
    unit: "s/GiB",
    ratio: value / tlsCpu,
  });
  const rate = of((run) => run.mibPerSecond);
  return [
    { name: "TLS stream on loopback", value: tlsRate, unit: "MiB/s", ratio: 1 },
    { name: "TLS stream: CPU, both ends", value: tlsCpu, unit: "s/GiB", ratio: 1 },
    { name: DOWNLOAD, value: rate, unit: "MiB/s", ratio: rate / tlsRate },
    {
      name: "circuit: from `get` to the first verified piece, cold",
      value: of((run) => run.firstByteSeconds),
      unit: "s",
    },
    cpu(CPU_OF_ALL, all),
    cpu(
      "circuit: CPU, seeder",
      of((run) => run.cpu.seeder),
    ),
    cpu(
      "circuit: CPU, downloader, opening included",
      of((run) => run.cpu.downloader),
    ),
    cpu(
      "circuit: CPU, a hop (all relays' over five)",
      of((run) => sum(run.cpu.relays) / HOPS),
    ),
    ...gateRows(runs).map(({ name, value }) => cpu(name, value)),
    ...Object.entries(peaks).map(([name, value]) => ({
      name: `circuit: peak memory, ${name}`,
      value,
      unit: "MiB",
    })),
  ];
}

/** Nobody but its members knows which relay is the gate; it does most where five relays carry, and none of them stands on both sides. */
function gateRows(runs: readonly Run[]): { name: string; value: number }[] {
  const ofFive = runs.filter(({ cpu }) => cpu.relays.filter((spent) => spent > CARRIED).length === HOPS);
  if (ofFive.length === 0) return [];
  return [
    {
      name: `circuit: CPU, gate (${ofFive.length} of ${runs.length} downloads had five relays)`,
      value: median(ofFive.map(({ cpu }) => Math.max(...cpu.relays))),
    },
  ];
}

async function writeRandom(file: string, mib: number): Promise<void> {
  const handle = await open(file, "w");
  const chunk = Buffer.allocUnsafe(MIB);
  for (let written = 0; written < mib; written++) await handle.write(randomFillSync(chunk));
  await handle.close();
}
