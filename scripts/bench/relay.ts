import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { usageOf } from "./process-usage.ts";
import type { ChildReport, ChildTask } from "./relay-child.ts";
import type { Row } from "./row.ts";

const CHILD = fileURLToPath(new URL("relay-child.ts", import.meta.url));
const PROGRAM = new URL("../../packages/cli/src/main.js", import.meta.url);
const CIRCUITS = 200;
const BUSY_MS = 20_000;
const STALLED_MS = 10_000;

/**
 * What one relay costs while 200 circuits, each from a client with a channel of its own, pass through it to another relay that sends all it may: first while all read,
 * then while nobody does and everything that was granted comes to lie in it.
 */
export async function benchRelay(): Promise<Row[]> {
  const children: ChildProcess[] = [];
  const start = async (task: ChildTask): Promise<{ pid: number; report: ChildReport }> => {
    const child = fork(CHILD, { execArgv: heapOptions() });
    children.push(child);
    child.send(task);
    const [report] = (await once(child, "message")) as [ChildReport];
    return { pid: child.pid ?? 0, report };
  };
  try {
    const passing = await start({ role: "relay" });
    const sending = await start({ role: "relay" });
    const path = [passing.report.info ?? "", sending.report.info ?? ""];
    const reading = await start({ role: "readers", count: CIRCUITS, path });
    const before = { cpu: usageOf(passing.pid).cpuSeconds, bytes: bytesReadBy(passing.pid) };
    await sleep(BUSY_MS);
    const busy = usageOf(passing.pid);
    const gib = (bytesReadBy(passing.pid) - before.bytes) / 1024 ** 3;
    process.kill(reading.pid, "SIGSTOP");
    await sleep(STALLED_MS);
    const stalled = usageOf(passing.pid);
    process.kill(reading.pid, "SIGCONT");
    return [
      {
        name: `relay with ${CIRCUITS} busy circuits: carries`,
        value: (gib * 1024_000) / BUSY_MS,
        unit: "MiB/s",
      },
      { name: "relay with busy circuits: CPU", value: (busy.cpuSeconds - before.cpu) / gib, unit: "s/GiB" },
      { name: "relay with busy circuits: peak memory", value: busy.peakMiB, unit: "MiB" },
      { name: "the same, and then nobody reads: peak memory", value: stalled.peakMiB, unit: "MiB" },
    ];
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

/** Those of the program's first line. */
function heapOptions(): string[] {
  const [line = ""] = readFileSync(PROGRAM, "utf8").split("\n");
  return line.split(" ").filter((word) => word.startsWith("--"));
}

/** What a process has read from sockets and files, by /proc: of a relay nearly all are frames. */
function bytesReadBy(pid: number): number {
  return Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1] ?? 0);
}
