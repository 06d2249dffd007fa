import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { lstat, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BACKROOM } from "./network.ts";

/** One run of the program from its start to its end. */
export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** Every line of stdout as JSON; raises where one is not. */
  lines(): Record<string, unknown>[];
  /** The last line's `code`, or that after `error[` on stderr; undefined where there is none. */
  readonly code: string | undefined;
}

export interface RunOptions {
  /** What to put in front of the program, such as `faketime`. */
  readonly prefix?: readonly string[];
  readonly input?: string;
  /** Undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** What is tested here works in the process that is started; what daemons do has tests of its own. */
const FOREGROUND = { BACKROOM_FOREGROUND: "1" };

/** Nothing that is tested here takes longer; what hangs ends with status null. */
const LONGEST_MS = 60_000;

export function backroom(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return runProgram([...(options.prefix ?? []), ...BACKROOM, ...args], options);
}

export function runProgram(
  command: readonly string[],
  options: Omit<RunOptions, "prefix"> = {},
): Promise<Run> {
  const [program = "", ...args] = command;
  const startedMs = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd ?? tmpdir(),
    env: { ...process.env, ...FOREGROUND, ...options.env },
    timeout: LONGEST_MS,
    killSignal: "SIGKILL",
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
  }
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      const seconds = (performance.now() - startedMs) / 1000;
      const lines = (): Record<string, unknown>[] => jsonLines(output.stdout);
      const code = /"code":"(E_\w+)"[^\n]*\n$/.exec(output.stdout) ?? /error\[(E_\w+)\]/.exec(output.stderr);
      resolve({ status, ...output, seconds, lines, code: code?.[1] });
    });
  });
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A folder for one test, removed by `remove`. */
export class TestFolder {
  readonly path: string;

  private constructor(folder: string) {
    this.path = folder;
  }

  static async make(): Promise<TestFolder> {
    return new TestFolder(await mkdtemp(path.join(tmpdir(), "backroom-test-")));
  }

  join(...parts: string[]): string {
    return path.join(this.path, ...parts);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Everything below a folder with what is in it, so that two listings are equal only when nothing came, went or changed. */
export async function listing(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(folder, { recursive: true })) {
    const file = path.join(folder, name);
    const stat = await lstat(file);
    if (stat.isDirectory()) found.push(`${name}/`);
    else
      found.push(
        `${name} ${createHash("sha256")
          .update(await readFile(file))
          .digest("hex")
          .slice(0, 16)}`,
      );
  }
  return found.toSorted();
}
