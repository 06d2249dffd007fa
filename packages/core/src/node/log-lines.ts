import type { Clock } from "../base/clock.ts";
import { ERROR_TABLE } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { LOG_LEVELS, LOG_WORDS, type Log, type LogLevel } from "../base/log.ts";
import { TokenBucket } from "../circuit/token-bucket.ts";

export interface LogLinesOptions {
  /** Events below it are left out. */
  readonly level: LogLevel;
  readonly clock: Clock;
  /** Takes one line with its end. Must not throw. */
  write(line: string): void;
}

interface Allowance {
  readonly bucket: TokenBucket;
  leftOutCount: number;
}

/**
 * A log of JSON lines: `{"time":…,"level":…,"event":…}` and the event's fields. Times are to the second, since finer ones would help whoever
 * compares the logs of two members. Most of what is noted a stranger can cause, so each event has an allowance; the next line that gets
 * through says how many were left out.
 */
export function createLogLines(options: LogLinesOptions): Log {
  const { clock } = options;
  const lowest = LOG_LEVELS.indexOf(options.level);
  // By event, of which there are as many as the source has.
  const allowances = new Map<string, Allowance>();

  return (level, event, fields = {}) => {
    if (LOG_LEVELS.indexOf(level) < lowest) return;
    let allowance = allowances.get(event);
    if (allowance === undefined) {
      const bucket = new TokenBucket(clock, LIMITS.logEventBurst, LIMITS.logEventsPerSecond);
      allowances.set(event, (allowance = { bucket, leftOutCount: 0 }));
    }
    if (!allowance.bucket.take()) {
      allowance.leftOutCount++;
      return;
    }
    const { leftOutCount } = allowance;
    allowance.leftOutCount = 0;
    const line = {
      time: new Date(clock.nowMs()).toISOString().replace(/\.\d+Z$/, "Z"),
      level,
      event,
      ...safeFields(fields),
      ...(leftOutCount > 0 ? { leftOutCount } : {}),
    };
    options.write(`${JSON.stringify(line)}\n`);
  };
}

const WORDS: ReadonlySet<unknown> = new Set([...Object.keys(ERROR_TABLE), ...LOG_WORDS]);

/** The type says the same, but a cast, or an object with more in it than its type, gets past types. What is not allowed is withheld, name and all. */
function safeFields(fields: object): Record<string, unknown> {
  const entries = Object.entries(fields).filter(([name, value]: [string, unknown]) => {
    if (typeof value === "number") return Number.isFinite(value) && /^[a-zA-Z]+(Count|Ms|Bytes)$/.test(name);
    if (typeof value === "boolean") return /^is[a-zA-Z]+$/.test(name);
    return /^(code|role|reason)$/.test(name) && WORDS.has(value);
  });
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === "number" ? Math.round(value) : value]),
  );
}
