import type { RouteName } from "@backroom/api/routes.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { machineBehind } from "@backroom/core/node/machine.ts";
import { proxyInUse } from "@backroom/core/node/proxy-setting.ts";
import { acquireLock } from "@backroom/core/store/lock.ts";
import { openCatalogue } from "./catalogue/open-catalogue.ts";
import { recoverySentence } from "./catalogue/recovery.ts";
import type { DaemonContext, Part } from "./context.ts";
import { assertMemory } from "./doctor/memory-check.ts";
import type { MachineFacts } from "./doctor/machine-facts.ts";
import { systemFacts } from "./doctor/system-facts.ts";
import { EventHub } from "./http/event-hub.ts";
import { lockFile, logFile } from "./process/daemon-files.ts";
import { openDaemonLog } from "./process/daemon-log.ts";
import { endsInTime } from "./process/in-time.ts";
import { createLifecycle } from "./process/lifecycle.ts";
import { proxyHash, removeRuntimeFile, writeRuntimeFile } from "./process/runtime-file.ts";
import { openSettings, type SettingsOptions } from "./settings/open-settings.ts";
import { createTokens } from "./tokens.ts";

/** What a person may see of the daemon that now runs. */
export interface RunningDaemon {
  readonly root: string;
  /** The page's address; null where it is not served. */
  readonly page: string | null;
}

export interface DaemonOptions extends Pick<SettingsOptions, "env" | "flags" | "configFile"> {
  /** As given with --data; undefined for the platform's. */
  readonly dataFolder: string | undefined;
  readonly version: string;
  /** The person accepts short memory, from now on. */
  readonly acceptRisk: boolean;
  /** Asks the daemon to stop. */
  readonly signal: AbortSignal;
  readonly onReady: (daemon: RunningDaemon) => void;
  readonly facts?: MachineFacts;
}

const RUNS_ALREADY = {
  what: "a daemon runs already for this data folder",
  why: "one daemon at a time has a data folder",
  fix: "use it as it is (backroom daemon status), stop it first (backroom daemon stop), or choose another folder with --data",
};

/** All parts together have this long to end; the rest of the five seconds is the catalogue's and the disk's. */
const PARTS_END_MS = 3_500;

/**
 * Runs the daemon of a data folder until `signal` is aborted or a client stops it, and resolves once it has given back all that it held, within five
 * seconds. Raises E_LOCKED where one runs, E_MACHINE below the minimum of memory, E_SETTING, E_STORE, E_PORT_IN_USE, E_LISTEN …
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const startedMs = Date.now();
  const folder = await openDataFolder(options.dataFolder);
  const { root } = folder;
  const settings = await openSettings({ ...options, folder });
  if (options.acceptRisk && !settings.get("risk.accepted")) await settings.set("risk.accepted", true);
  assertMemory((options.facts ?? systemFacts).memory(), settings.get("risk.accepted"));

  const lock = await acquireLock(lockFile(root), RUNS_ALREADY);
  stack.defer(() => lock.release());
  const proxy = await proxyInUse(folder, settings.get("network.proxy") ?? undefined);
  const machine = machineBehind(proxy);
  const daemonLog = openDaemonLog(logFile(root), machine.clock, settings.get("log.level"));
  stack.defer(() => daemonLog.close());
  const { log } = daemonLog;
  settings.onChange((key) => {
    if (key === "log.level") daemonLog.setLevel(settings.get("log.level"));
  });

  const { catalogue, recovery } = openCatalogue(root, { clock: machine.clock, log });
  stack.defer(() => catalogue.close());
  const events = new EventHub(machine);
  if (recovery !== undefined) {
    log("warn", "the catalogue was damaged or gone", { isRestored: recovery.backupMs !== null });
    events.publish({
      name: "notice",
      data: { level: "warn", text: recoverySentence(recovery), transfer: null },
    });
  }
  const context: DaemonContext = { folder, catalogue, settings, machine, events, log };
  const stopped = new AbortController();
  const page = (): string | null => null;

  const parts: Pick<Part<RouteName>, "close">[] = [createTokens(context)];
  stack.defer(async () => {
    const ended = await endsInTime(Promise.all(parts.map((part) => part.close())), PARTS_END_MS);
    if (!ended) log("warn", "parts of the daemon did not end in time");
  });
  const lifecycle = createLifecycle({
    version: options.version,
    startedMs,
    logFile: logFile(root),
    events,
    page,
    totals: () => ({
      byState: {},
      downloadRate: 0,
      uploadRate: 0,
      downloadedBytes: 0,
      uploadedBytes: 0,
      peerCount: 0,
    }),
    stop: () => stopped.abort(),
  });
  stack.defer(() => lifecycle.close());

  const describe = (): Promise<void> =>
    writeRuntimeFile(root, {
      pid: process.pid,
      version: options.version,
      startedMs,
      page: page(),
      proxyHash: hashOf(settings.get("network.proxy")),
      lan: settings.get("network.lan"),
    });
  await describe();
  stack.defer(() => removeRuntimeFile(root));
  log("info", "the daemon runs");
  options.onReady({ root, page: page() });
  await aborted(AbortSignal.any([options.signal, stopped.signal]));
  log("info", "the daemon stops");
}

function hashOf(proxy: string | null): string | null {
  return proxy === null ? null : proxyHash(proxy);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
