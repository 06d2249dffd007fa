import { whenAborted } from "@backroom/core/base/abort.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { machineBehind } from "@backroom/core/node/machine.ts";
import { proxyInUse } from "@backroom/core/node/proxy-setting.ts";
import { acquireLock } from "@backroom/core/store/lock.ts";
import { openCatalogue } from "./catalogue/open-catalogue.ts";
import { recoverySentence } from "./catalogue/recovery.ts";
import type { DaemonContext } from "./context.ts";
import type { MachineFacts } from "./doctor/machine-facts.ts";
import { assertMemory } from "./doctor/memory-check.ts";
import { systemFacts } from "./doctor/system-facts.ts";
import { EventHub } from "./http/event-hub.ts";
import { startParts } from "./parts.ts";
import { lockFile, logFile } from "./process/daemon-files.ts";
import { openDaemonLog } from "./process/daemon-log.ts";
import { proxyHash, removeRuntimeFile, writeRuntimeFile } from "./process/runtime-file.ts";
import { problemText } from "./settings/setting-errors.ts";
import { openSettings, type SettingsOptions } from "./settings/open-settings.ts";

/** What a person may see of the daemon that now runs. */
export interface RunningDaemon {
  readonly root: string;
  /** The page's address; null where it is not served. */
  readonly page: string | null;
  /** What somebody should know of how it started. */
  readonly warnings: readonly string[];
}

export interface DaemonOptions extends Pick<SettingsOptions, "env" | "flags" | "configFile"> {
  /** As given with --data; undefined for the platform's. */
  readonly dataFolder: string | undefined;
  readonly version: string;
  /** Asks the daemon to stop. */
  readonly signal: AbortSignal;
  readonly onReady: (daemon: RunningDaemon) => void;
  /** Called where it has not ended when it should have: whoever gave the process can take it away. */
  readonly onOverdue: () => void;
  /** Absent: the computer that this runs on. */
  readonly facts?: MachineFacts;
}

const RUNS_ALREADY = {
  what: "a daemon runs already for this data folder",
  why: "one daemon at a time has a data folder",
  fix: "use it as it is (backroom daemon status), stop it first (backroom daemon stop), or choose another folder with --data",
};

/** From being asked to stop to the end. */
const END_MS = 5_000;

/**
 * Runs the daemon of a data folder until `signal` is aborted or a client stops it, and resolves once it has given back all that it held, within five
 * seconds. Raises E_LOCKED where one runs, E_MACHINE below the minimum of memory, and what its parts raise: E_SETTING, E_STORE, E_PORT_IN_USE …
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const startedMs = Date.now();
  const folder = await openDataFolder(options.dataFolder);
  const settings = await openSettings({ ...options, folder });
  assertMemory((options.facts ?? systemFacts).memory(), settings.get("risk.accepted"));

  await using stack = new AsyncDisposableStack();
  let overdue: NodeJS.Timeout | undefined;
  stack.defer(() => clearTimeout(overdue));
  const lock = await acquireLock(lockFile(folder.root), RUNS_ALREADY);
  stack.defer(() => lock.release());
  const proxy = await proxyInUse(folder, settings.get("network.proxy") ?? undefined);
  const machine = machineBehind(proxy);
  const daemonLog = openDaemonLog(logFile(folder.root), machine.clock, settings.get("log.level"));
  stack.defer(() => daemonLog.close());
  const { log } = daemonLog;
  log("info", "the daemon begins");

  const { catalogue, recovery } = openCatalogue(folder.root, { clock: machine.clock, log });
  stack.defer(() => catalogue.close());
  const events = new EventHub(machine);
  const context: DaemonContext = { folder, catalogue, settings, machine, events, log };
  const stopped = new AbortController();
  const { version, signal } = options;
  const parts = await startParts(context, events, stack, { version, startedMs, stop: () => stopped.abort() });
  const { page } = parts;

  const describe = (): Promise<void> => {
    const url = settings.get("network.proxy");
    const hash = url === null ? null : proxyHash(url);
    const lan = settings.get("network.lan");
    return writeRuntimeFile(folder.root, {
      pid: process.pid,
      version,
      startedMs,
      page,
      proxyHash: hash,
      lan,
    });
  };
  await describe();
  stack.defer(() => removeRuntimeFile(folder.root));
  settings.onChange((key) => {
    if (key === "log.level") daemonLog.setLevel(settings.get("log.level"));
    if (key === "network.proxy" || key === "network.lan") {
      describe().catch(() => log("warn", "what the daemon says of itself could not be written"));
    }
  });

  const warnings = [
    ...(recovery === undefined ? [] : [recoverySentence(recovery)]),
    ...settings.problems().map(problemText),
    ...parts.warnings,
  ];
  for (const text of warnings)
    events.publish({ name: "notice", data: { level: "warn", text, transfer: null } });
  log("info", "the daemon runs", { tookMs: Date.now() - startedMs });
  options.onReady({ root: folder.root, page, warnings });
  await whenAborted(AbortSignal.any([signal, stopped.signal]));
  log("info", "the daemon stops");
  overdue = setTimeout(() => options.onOverdue(), END_MS);
}
