import { type BackroomError, ERROR_TABLE } from "@backroom/core/base/errors.ts";
import { silentLog, type Log } from "@backroom/core/base/log.ts";
import { LiveLine } from "./live-line.ts";
import { RateMeter, progressLine } from "./progress.ts";
import { showable } from "./showable.ts";
import { wrap } from "./wrap.ts";

/**
 * All that a command says. The result alone goes to stdout, everything for people to stderr. With `json`, stdout carries JSON lines
 * `{"v":1,"event":…}` instead (docs/CLI.md), and stderr stays empty but for a log that was asked for.
 */
export interface Terminal {
  readonly json: boolean;
  /** Whether somebody sits there to answer a question. */
  readonly interactive: boolean;
  /** What the command was asked for: `text` for people and scripts, `data` for JSON. */
  result(text: string, data: Record<string, unknown>): void;
  /** A machine-readable step; people see nothing. */
  event(name: string, data: Record<string, unknown>): void;
  note(text: string): void;
  /** A question's text, which is not left out when nothing but results is wanted. */
  ask(text: string): void;
  warn(text: string): void;
  /** What goes on just now, on a line that is drawn over; only where somebody watches a terminal. Ends with the next bar or result. */
  status(text: string): void;
  progress(label: string): Progress;
  error(error: BackroomError): void;
  readonly log: Log;
  /** Takes a status away. */
  end(): void;
}

export interface Progress {
  update(done: number, total: number, note?: string): void;
  end(): void;
}

export interface TerminalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** Makes the log; `show` puts a line of it on stderr, above what is drawn there. */
  readonly openLog?: (show: (line: string) => void) => Log;
}

/** Redraw at most this often; JSON progress and lines without a terminal come more rarely. */
const REDRAW_MS = 100;
const JSON_MS = 250;
const PLAIN_MS = 5000;
const PLAIN_COLUMNS = 100;

export function createTerminal(options: TerminalOptions): Terminal {
  const { json, quiet, stdout, stderr, env } = options;
  const watched = stderr.isTTY;
  const live = watched && !json && !quiet;
  // NO_COLOR counts when it is not empty (no-color.org).
  const color = watched && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const line = new LiveLine(stderr);
  const fold = (text: string, hang = 0): string =>
    watched ? wrap(showable(text), line.columns - 1, hang) : showable(text);

  const say = (text: string): void => {
    if (!json && !quiet) line.above(text);
  };
  const event = (name: string, data: Record<string, unknown>): void => {
    if (json) stdout.write(`${JSON.stringify({ v: 1, event: name, ...data })}\n`);
  };
  const progress = (label: string): Progress => {
    line.endStatus();
    const meter = new RateMeter();
    const everyMs = json ? JSON_MS : live ? REDRAW_MS : PLAIN_MS;
    // Without a terminal what is done within seconds needs no line of its own before its end.
    let lastMs = live || json ? -Infinity : performance.now();
    let last: (() => void) | undefined;
    return {
      update(done, total, note) {
        const nowMs = performance.now();
        const state = {
          done,
          total,
          ...meter.sample(nowMs, done, total),
          ...(note === undefined ? {} : { note }),
        };
        const draw = (): void => {
          last = undefined;
          lastMs = nowMs;
          if (json) {
            const { rate, secondsLeft } = state;
            const eta = Number.isFinite(secondsLeft) ? secondsLeft : null;
            event("progress", { label, done, total, rate: Math.round(rate), secondsLeft: eta });
          } else if (live) line.draw(progressLine(label, state, line.columns));
          else if (!quiet) stderr.write(`${progressLine(label, state, PLAIN_COLUMNS)}\n`);
        };
        last = draw;
        if (nowMs - lastMs >= everyMs) draw();
      },
      end() {
        last?.();
        line.keep();
      },
    };
  };

  return {
    json,
    interactive: process.stdin.isTTY && watched && !json,
    result(text, data) {
      line.endStatus();
      line.keep();
      if (json) event("result", data);
      else if (text !== "") stdout.write(`${text}\n`);
    },
    event,
    note: (text) => say(fold(text)),
    ask: (text) => line.above(fold(text)),
    warn: (text) => {
      say(fold(`warning: ${text}`, 2).replace(/^warning:/, paint(33, "warning:")));
      event("warning", { text });
    },
    status: (text) => {
      if (live) line.status(text);
    },
    progress,
    error(error) {
      line.endStatus();
      line.keep();
      const { code, message, why, fix } = error;
      if (json) {
        event("error", { code, exit: ERROR_TABLE[code].exit, what: message, why, try: fix });
        return;
      }
      const head = `error[${code}]:`;
      stderr.write(`${fold(`${head} ${message}`, 2).replace(head, paint(31, head))}\n`);
      stderr.write(`${fold(`  why: ${why}`, 5)}\n${fold(`  try: ${fix}`, 5)}\n`);
    },
    log: options.openLog?.((text) => line.above(text.trimEnd())) ?? silentLog,
    end: () => line.endStatus(),
  };
}
