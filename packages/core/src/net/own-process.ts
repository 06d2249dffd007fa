import { fork, spawn, type ChildProcess } from "node:child_process";
import { isSea } from "node:sea";
import { fileURLToPath } from "node:url";

/** What the program starts beside itself: whatever reads strangers' bytes through a library that was not written for hostile ones. */
export type OwnProcess = "dht" | "port-mapping";

/** The argument with which the single executable is started again as one of them. Nothing but `startOwnProcess` uses it. */
export const OWN_PROCESS_ARGUMENT = "--own-process=";

/**
 * Starts one, to be spoken to over its channel: with an empty environment, and without the right to write files or to start programs. `module` is its file
 * beside the asking module; the single executable holds that file within itself.
 */
export function startOwnProcess(name: OwnProcess, module: URL, heapMiB: number): ChildProcess {
  const options = ["--permission", "--allow-fs-read=*", `--max-old-space-size=${heapMiB}`];
  const stdio: ["ignore", "ignore", "ignore", "ipc"] = ["ignore", "ignore", "ignore", "ipc"];
  if (!isSea()) return fork(fileURLToPath(module), [], { env: {}, execArgv: options, stdio });
  // A single executable takes arguments for its own; Node's options reach it by the environment.
  const env = { NODE_OPTIONS: options.join(" ") };
  return spawn(process.execPath, [`${OWN_PROCESS_ARGUMENT}${name}`], { env, stdio, windowsHide: true });
}
