import { systemClock } from "@backroom/core/base/clock.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { silentLog, type Log, type LogLevel } from "@backroom/core/base/log.ts";
import { openLogFile } from "@backroom/core/node/log-file.ts";
import { createLogLines } from "@backroom/core/node/log-lines.ts";

/** What --log-level (or BACKROOM_LOG) and --log-file say. */
export interface LogSettings {
  readonly logLevel?: LogLevel;
  readonly logFile?: string;
}

/** Opens the log that was asked for, which is none by default; without a file its lines go to `show`. Raises E_FILE. */
export function logOpener({ logLevel, logFile }: LogSettings): (show: (line: string) => void) => Log {
  return (show) => {
    if (logLevel === undefined && logFile === undefined) return silentLog;
    const file = logFile === undefined ? undefined : openLogFile(logFile, LIMITS.logFileBytes);
    const write = (line: string): void => (file === undefined ? show(line) : file.write(line));
    return createLogLines({ level: logLevel ?? "info", clock: systemClock, write });
  };
}
