import { type BackroomError, ERROR_TABLE } from "@backroom/core/base/errors.ts";
import { silentLog, type Log } from "@backroom/core/base/log.ts";
import { LiveLine } from "./live-line.ts";
import { ProgressReport, type Progress } from "./progress-report.ts";
import { showable, showableJson } from "./showable.ts";
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
  /** A line for people and scripts that belongs to the result, before `result` ends it; with JSON the command tells an event instead. */
  print(line: string): void;
  /** A machine-readable step; people see nothing. */
  event(name: string, data: Record<string, unknown>): void;
  note(text: string): void;
  /** A question's text, which is not left out when nothing but results is wanted. */
  ask(text: string): void;
  /** Lines that are not to be folded, such as a picture; light letters on a dark ground. */
  drawing(lines: readonly string[]): void;
  warn(text: string): void;
  /** What goes on just now, on a line that is drawn over; only where somebody watches a terminal. Ends with the next bar or result. */
  status(text: string): void;
  progress(label: string): Progress;
  error(error: BackroomError): void;
  readonly log: Log;
  /** Of standard output where that is a terminal; undefined for a file or pipe, which takes lines of any length. */
  readonly columns: number | undefined;
  /** For standard output: the text in a colour, where it shows colours. */
  paint(color: Color, text: string): string;
  /** Takes a status away. */
  end(): void;
}

export type Color = "red" | "green" | "yellow" | "cyan" | "dim";

const COLOR_CODES: Readonly<Record<Color, number>> = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2 };

export interface TerminalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly stdin: Pick<NodeJS.ReadStream, "isTTY">;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** Makes the log; `show` puts a line of it on stderr, above what is drawn there. */
  readonly openLog?: (show: (line: string) => void) => Log;
}

export function createTerminal(options: TerminalOptions): Terminal {
  const { json, quiet, stdin, stdout, stderr, env } = options;
  const watched = stderr.isTTY;
  const live = watched && !json && !quiet;
  // NO_COLOR counts when it is not empty (no-color.org).
  const wantsColor = (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  const painter =
    (stream: NodeJS.WriteStream) =>
    (color: Color, text: string): string =>
      stream.isTTY && wantsColor ? `\u001b[${COLOR_CODES[color]}m${text}\u001b[0m` : text;
  const paint = painter(stderr);
  const line = new LiveLine(stderr);
  const fold = (text: string, hang = 0): string =>
    watched ? wrap(showable(text), line.columns - 1, hang) : showable(text);

  const say = (text: string): void => {
    if (!json && !quiet) line.above(text);
  };
  const event = (name: string, data: Record<string, unknown>): void => {
    if (json) stdout.write(`${showableJson(JSON.stringify({ v: 1, event: name, ...data }))}\n`);
  };
  const progress = (label: string): Progress => {
    line.endStatus();
    return new ProgressReport(label, {
      form: json ? "json" : live ? "live" : quiet ? "none" : "plain",
      line,
      stderr,
      event,
    });
  };

  return {
    json,
    interactive: stdin.isTTY && watched && !json,
    result(text, data) {
      line.endStatus();
      line.keep();
      if (json) event("result", data);
      else if (text !== "") stdout.write(`${text}\n`);
    },
    print(text) {
      if (json) return;
      line.erase();
      stdout.write(`${text}\n`);
    },
    event,
    note: (text) => say(fold(text)),
    ask: (text) => line.above(fold(text)),
    drawing(lines) {
      const widest = Math.max(...lines.map((one) => one.length));
      if (json || quiet) return;
      if (watched && widest > line.columns) {
        line.above(fold(`It takes ${widest} columns, and this terminal has ${line.columns}.`));
        return;
      }
      // White on black whatever the terminal's colours are: readers of codes want dark on light.
      for (const one of lines) line.above(wantsColor && watched ? `\u001b[97;40m${one}\u001b[0m` : one);
    },
    warn: (text) => {
      say(fold(`warning: ${text}`, 2).replace(/^warning:/, paint("yellow", "warning:")));
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
      stderr.write(`${fold(`${head} ${message}`, 2).replace(head, paint("red", head))}\n`);
      stderr.write(`${fold(`  why: ${why}`, 5)}\n${fold(`  try: ${fix}`, 5)}\n`);
    },
    log: options.openLog?.((text) => line.above(text.trimEnd())) ?? silentLog,
    columns: stdout.isTTY ? stdout.columns || 80 : undefined,
    paint: painter(stdout),
    end: () => line.endStatus(),
  };
}
