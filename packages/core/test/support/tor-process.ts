import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** One `tor`, read through its log. It ends with this process, whatever happens to that. */
export class TorProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  constructor(name: string, configFile: string) {
    this.name = name;
    // The kernel kills it when this process ends in whatever way. What Tor has for that looks at process numbers, which come again.
    const tor = ["tor", "-f", configFile, "--defaults-torrc", `${configFile}.none`, "--ignore-missing-torrc"];
    this.#child = spawn("setpriv", ["--pdeathsig", "KILL", ...tor], { stdio: ["ignore", "pipe", "ignore"] });
    this.#child.once("error", () => this.#end());
    this.#child.once("exit", () => this.#end());
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.#lines.push(line);
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Resolves once the log has said so. Raises what it said last when it ends before. */
  async said(words: string): Promise<void> {
    while (!this.#lines.some((line) => line.includes(words))) {
      if (this.#ended) {
        throw new Error(
          `tor ${this.name} ended before it said “${words}”: ${this.#lines.slice(-5).join("\n")}`,
        );
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Has it read its configuration again. */
  reload(): void {
    this.#child.kill("SIGHUP");
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    while (!this.#ended) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
