import { type BackroomError, ERROR_TABLE } from "@backroom/core/base/errors.ts";
import { RateMeter, progressLine } from "./progress.ts";

/**
 * All that a command says. The result alone goes to stdout, everything for people to stderr. With `json`, stdout carries JSON lines
 * `{"v":1,"event":…}` instead (docs/CLI.md), the last of which is `result` or `error`, and stderr stays empty.
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
  warn(text: string): void;
  progress(label: string): Progress;
  error(error: BackroomError): void;
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
}

/** Redraw at most this often; JSON progress and lines without a terminal come more rarely. */
const REDRAW_MS = 100;
const JSON_MS = 250;
const PLAIN_MS = 5000;

export function createTerminal(options: TerminalOptions): Terminal {
  const { json, quiet, stdout, stderr, env } = options;
  const live = stderr.isTTY && !json && !quiet;
  const color = stderr.isTTY && env["NO_COLOR"] === undefined && env["TERM"] !== "dumb";
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  let drawn = false;

  const clear = (): void => {
    if (drawn) stderr.write("\r\u001b[2K");
    drawn = false;
  };
  const say = (text: string): void => {
    if (json || quiet) return;
    clear();
    stderr.write(`${text}\n`);
  };
  const event = (name: string, data: Record<string, unknown>): void => {
    if (json) stdout.write(`${JSON.stringify({ v: 1, event: name, ...data })}\n`);
  };

  return {
    json,
    interactive: process.stdin.isTTY && stderr.isTTY && !json,
    result(text, data) {
      clear();
      if (json) event("result", data);
      else if (text !== "") stdout.write(`${text}\n`);
    },
    event,
    note: (text) => say(text),
    warn: (text) => {
      say(`${paint(33, "warning:")} ${text}`);
      event("warning", { text });
    },
    progress(label) {
      const meter = new RateMeter();
      const everyMs = json ? JSON_MS : live ? REDRAW_MS : PLAIN_MS;
      // Without a terminal what is done within seconds needs no line of its own before its end.
      let lastMs = live ? -Infinity : performance.now();
      let last: (() => void) | undefined;
      return {
        update(done, total, note) {
          const nowMs = performance.now();
          const { rate, secondsLeft } = meter.sample(nowMs, done, total);
          const state = { done, total, rate, secondsLeft, ...(note === undefined ? {} : { note }) };
          const draw = (): void => {
            last = undefined;
            lastMs = nowMs;
            if (json) {
              const eta = Number.isFinite(secondsLeft) ? secondsLeft : null;
              event("progress", { label, done, total, rate: Math.round(rate), secondsLeft: eta });
            } else if (live) {
              stderr.write(`\r\u001b[2K${progressLine(label, state, stderr.columns)}`);
              drawn = true;
            } else if (!quiet) stderr.write(`${progressLine(label, state, 100)}\n`);
          };
          last = draw;
          if (nowMs - lastMs >= everyMs) draw();
        },
        end() {
          last?.();
          if (drawn) stderr.write("\n");
          drawn = false;
        },
      };
    },
    error(error) {
      clear();
      const { code, message, why, fix } = error;
      if (json) event("error", { code, exit: ERROR_TABLE[code].exit, what: message, why, try: fix });
      else {
        stderr.write(`${paint(31, `error[${code}]:`)} ${message}\n`);
        stderr.write(`  why: ${why}\n  try: ${fix}\n`);
      }
    },
  };
}
