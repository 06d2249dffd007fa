import type { Answer } from "@backroom/api/routes.ts";
import type { TransferState } from "@backroom/api/schemas/transfer.ts";
import type { Events, Part, TransferTotals } from "../context.ts";
import { lastLines } from "./log-tail.ts";

type Status = Answer<"status">;

/** How often clients hear of totals that changed. */
const TELL_MS = 1_000;

/** States in which nothing goes on. */
const AT_REST: ReadonlySet<TransferState> = new Set(["queued", "paused", "done", "failed"]);

export interface LifecycleDeps {
  readonly version: string;
  readonly startedMs: number;
  readonly logFile: string;
  readonly events: Events;
  /** The page's address, once it is served. */
  page(): string | null;
  totals(): TransferTotals;
  /** Asks the daemon to stop; returns at once. */
  stop(): void;
}

/** The daemon as its clients see it: its totals, its log, its end. */
export function createLifecycle(deps: LifecycleDeps): Part<"status" | "stop" | "logs"> {
  let told = "";
  const timer = setInterval(() => {
    if (!deps.events.isFollowed) return;
    const status = statusOf(deps);
    // Memory changes all the time and is no news by itself.
    const { memoryBytes: _, ...news } = status;
    const text = JSON.stringify(news);
    if (text === told) return;
    told = text;
    deps.events.publish({ name: "status", data: status });
  }, TELL_MS);
  timer.unref();
  return {
    handlers: {
      status: async () => statusOf(deps),
      stop: async () => {
        // The answer goes out first.
        setImmediate(() => deps.stop());
        return {};
      },
      logs: async ({ lines }) => ({ lines: await lastLines(deps.logFile, lines) }),
    },
    close: async () => clearInterval(timer),
  };
}

function statusOf(deps: LifecycleDeps): Status {
  const { byState, downloadRate, uploadRate } = deps.totals();
  const counts = Object.entries(byState) as [TransferState, number][];
  const sum = (some: typeof counts): number => some.reduce((total, [, count]) => total + count, 0);
  return {
    version: deps.version,
    pid: process.pid,
    startedMs: deps.startedMs,
    page: deps.page(),
    transferCount: sum(counts),
    activeCount: sum(counts.filter(([state]) => !AT_REST.has(state))),
    downloadRate: Math.round(downloadRate),
    uploadRate: Math.round(uploadRate),
    memoryBytes: process.memoryUsage.rss(),
  };
}
