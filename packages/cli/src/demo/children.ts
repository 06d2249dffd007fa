import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { BackroomError } from "@backroom/core/base/errors.ts";

/** One line of a command's `--json` output. */
export interface Line {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** A `backroom` command as a process of its own, read through its JSON lines. */
export class CommandProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: Line[] = [];
  readonly #waiting = new Set<() => void>();
  #exit: number | undefined;
  #errors = "";

  /** `command` is a program and its first arguments, such as `ownCommand()`. */
  constructor(name: string, command: readonly string[], args: readonly string[], dataFolder: string) {
    this.name = name;
    const [program = "", ...first] = command;
    this.#child = spawn(program, [...first, "--json", "--data", dataFolder, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      // One process each, which can be watched, killed and waited for: a daemon would outlive it.
      env: { ...process.env, BACKROOM_FOREGROUND: "1" },
    });
    this.#child.once("exit", (code, signal) => {
      this.#exit = code ?? (signal === null ? 1 : 128);
      this.#wake();
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-2000);
    });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.#lines.push(JSON.parse(line) as Line);
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** Every line so far. */
  lines(): readonly Line[] {
    return this.#lines;
  }

  /** The latest line of that event so far. */
  latest(event: string): Line | undefined {
    return this.#lines.findLast((line) => line.event === event);
  }

  /** The first line that `wanted` accepts, now or later. Raises what the command reported if it ends before. */
  async line(wanted: (line: Line) => boolean): Promise<Line> {
    for (let next = 0; ;) {
      for (; next < this.#lines.length; next++) {
        const line = this.#lines[next] as Line;
        if (wanted(line)) return line;
      }
      if (!this.running) throw this.#failure();
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  kill(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal);
  }

  /** Resolves with the exit status once the process is gone. */
  async ended(): Promise<number> {
    while (this.#exit === undefined) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    return this.#exit;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  #failure(): BackroomError {
    const said = this.latest("error");
    const what =
      said === undefined
        ? this.#errors.trim().split("\n").at(-1)
        : `${String(said["code"])}: ${String(said["what"])}`;
    return new BackroomError(
      "E_INTERNAL",
      `the demo's ${this.name} ended with status ${this.#exit}: ${what ?? ""}`,
    );
  }
}
