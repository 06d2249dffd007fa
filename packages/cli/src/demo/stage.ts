import { readFileSync } from "node:fs";
import path from "node:path";
import { joinNetwork } from "@backroom/core/node/networks.ts";
import { ownCommand } from "../own-command.ts";
import { CommandProcess } from "./children.ts";
import { watchSockets } from "./sockets.ts";

/** The processes of one demo, their folders, and what was seen of their connections. */
export class Stage {
  readonly folder: string;
  readonly sockets = watchSockets();
  readonly #processes = new Map<string, CommandProcess>();
  readonly #cpuAtStart = new Map<string, number>();

  constructor(folder: string) {
    this.folder = folder;
  }

  dataFolder(name: string): string {
    return path.join(this.folder, name.replace(" ", "-"));
  }

  async join(name: string, invite: string): Promise<void> {
    await joinNetwork({ dataFolder: this.dataFolder(name), invite });
  }

  start(name: string, args: readonly string[]): CommandProcess {
    const started = new CommandProcess(name, ownCommand(), args, this.dataFolder(name));
    this.#processes.set(name, started);
    return started;
  }

  relays(): CommandProcess[] {
    return [...this.#processes.values()].filter((one) => one.running && one.name.startsWith("relay"));
  }

  /** Looks at the kernel's table of connections. */
  look(): void {
    this.sockets.sample(new Map([...this.#processes].map(([name, one]) => [name, one.pid])));
  }

  /** Starts counting processor time from now. */
  markCpu(): void {
    for (const [name, one] of this.#processes) this.#cpuAtStart.set(name, cpuTicks(one.pid));
  }

  /** Processor time of a process since `markCpu`, in clock ticks. */
  cpuSince(one: CommandProcess): number {
    return cpuTicks(one.pid) - (this.#cpuAtStart.get(one.name) ?? 0);
  }

  killAll(): void {
    for (const one of this.#processes.values()) one.kill("SIGKILL");
  }

  /** Asks every process to stop, insists after two seconds, and waits until all are gone. */
  async close(): Promise<void> {
    const all = [...this.#processes.values()];
    for (const one of all) one.kill("SIGTERM");
    const insist = setTimeout(() => this.killAll(), 2000);
    await Promise.all(all.map((one) => one.ended()));
    clearTimeout(insist);
  }
}

/** utime + stime of /proc/PID/stat (proc(5)); 0 for a process that is gone or where there is no /proc. */
function cpuTicks(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0;
  }
}
