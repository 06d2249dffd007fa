import { Writable } from "node:stream";
import type { DaemonAccess } from "../../src/daemon-access.ts";
import { runCommandLine } from "../../src/program.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { FakeDaemon } from "./fake-daemon.ts";

export interface InProcessOptions {
  /** None runs, and none can be started, where it is left out. */
  readonly daemon?: FakeDaemon;
  /** Of a terminal; a pipe without. */
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Of this computer; plenty where it is left out. */
  readonly memoryBytes?: number;
  /** Ctrl-C. */
  readonly signal?: AbortSignal;
  readonly onStdout?: (text: string) => void;
}

export interface InProcessRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  lines(): Record<string, unknown>[];
}

/** Runs a command line in this process, against a daemon in memory: a hundred of them take as long as one process. */
export async function runInProcess(
  args: readonly string[],
  options: InProcessOptions = {},
): Promise<InProcessRun> {
  const output = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof output): NodeJS.WriteStream => {
    const made = new Writable({
      write(chunk: Buffer, _encoding, done) {
        output[name] += chunk.toString();
        if (name === "stdout") options.onStdout?.(output.stdout);
        done();
      },
    });
    const isTTY = options.columns !== undefined;
    return Object.assign(made, { isTTY, columns: options.columns ?? 0 }) as unknown as NodeJS.WriteStream;
  };
  const status = await runCommandLine(args, {
    stdin: { isTTY: false },
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    env: { TERM: "xterm", ...options.env },
    facts: { memory: () => ({ totalBytes: options.memoryBytes ?? 2 ** 34, limitBytes: undefined }) },
    interrupted: () => options.signal ?? new AbortController().signal,
    endSoon: () => {},
    daemon: () => accessTo(options.daemon),
  });
  const lines = (): Record<string, unknown>[] =>
    output.stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { status, ...output, lines };
}

function accessTo(daemon: FakeDaemon | undefined): DaemonAccess {
  const there = (): Promise<FakeDaemon> =>
    daemon === undefined
      ? Promise.reject(new BackroomError("E_NO_DAEMON", "no daemon runs for this data folder"))
      : Promise.resolve(daemon);
  const ensure: DaemonAccess["ensure"] = async (check) => {
    if (daemon === undefined) await check?.();
    return there();
  };
  return { find: () => Promise.resolve(daemon), need: there, ensure };
}
