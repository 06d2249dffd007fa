import type { Clock } from "@backroom/core/base/clock.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { LOG_LEVELS, type Log, type LogLevel } from "@backroom/core/base/log.ts";
import { openLogFile } from "@backroom/core/node/log-file.ts";
import { createLogLines } from "@backroom/core/node/log-lines.ts";

export interface DaemonLog {
  readonly log: Log;
  setLevel(level: LogLevel): void;
  close(): void;
}

/** The daemon's log, whose level may change while it runs. Raises E_FILE. */
export function openDaemonLog(file: string, clock: Clock, first: LogLevel): DaemonLog {
  const out = openLogFile(file, LIMITS.logFileBytes);
  let level = first;
  const lines = createLogLines({ level: "debug", clock, write: (line) => out.write(line) });
  // What is not written must not use up an event's allowance either.
  const log: Log = (of, event, fields) => {
    if (LOG_LEVELS.indexOf(of) >= LOG_LEVELS.indexOf(level)) lines(of, event, fields);
  };
  return {
    log,
    setLevel: (next) => {
      level = next;
    },
    close: () => out.close(),
  };
}
