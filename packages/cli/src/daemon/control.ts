import { setTimeout as sleep } from "node:timers/promises";
import type { Answer } from "@backroom/api/routes.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { isRunning } from "@backroom/core/base/is-running.ts";
import { findDaemon, startDaemon } from "../daemon-client.ts";
import { admitMachine } from "../machine/admit.ts";
import type { Session } from "../session.ts";
import { count, formatBytes, formatDuration, formatRate } from "../ui/format.ts";

/** It ends within five seconds; a busy computer gets twice that. */
const STOP_MS = 10_000;
const LOOK_MS = 50;

export async function start(session: Session): Promise<void> {
  const { terminal } = session;
  await admitMachine(session);
  const running = await findDaemon(session);
  const client = running ?? (await startDaemon(session));
  const { pid, page } = await client.call("status");
  terminal.note(running === undefined ? "Started the daemon." : "The daemon runs already.");
  if (page !== null) terminal.note(`Its page: ${page}`);
  terminal.result("", { started: running === undefined, pid, page });
}

export async function stop(session: Session): Promise<void> {
  const { terminal } = session;
  const client = await findDaemon({ ...session, proxy: undefined, lan: false });
  if (client === undefined) {
    terminal.note("No daemon runs.");
    terminal.result("", { stopped: false });
    return;
  }
  const { pid } = await client.call("status");
  await client.call("stop");
  terminal.status("Stopping …");
  await untilGone(pid);
  terminal.note("Stopped the daemon.");
  terminal.result("", { stopped: true });
}

/** When it has ended it has given its data folder back, too. */
async function untilGone(pid: number): Promise<void> {
  const deadlineMs = performance.now() + STOP_MS;
  while (isRunning(pid)) {
    if (performance.now() > deadlineMs) {
      throw new BackroomError("E_DAEMON", "the daemon was asked to stop, and still runs", {
        why: "something holds it up",
        fix: `wait, or end its process: its number is ${pid}`,
      });
    }
    await sleep(LOOK_MS);
  }
}

/** Raises E_NO_DAEMON where none runs, so that scripts and health checks go by the exit status. */
export async function status(session: Session): Promise<void> {
  const now = await (await session.daemon.need()).call("status");
  session.terminal.result(describe(now, Date.now()), { ...now });
}

/** As people read it: a line for each thing, what it is in front. */
export function describe(now: Answer<"status">, nowMs: number): string {
  const rows: [string, string][] = [
    ["running", `for ${formatDuration(Math.max(0, nowMs - now.startedMs) / 1000)} (process ${now.pid})`],
    ["version", now.version],
    ["page", now.page ?? "not served"],
    ["transfers", `${count(now.transferCount, "transfer")}, ${now.activeCount} active`],
    ["down", formatRate(now.downloadRate)],
    ["up", formatRate(now.uploadRate)],
    ["memory", formatBytes(now.memoryBytes)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(11)}${value}`).join("\n");
}
