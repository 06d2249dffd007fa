import { getCompileCacheDir } from "node:module";
import path from "node:path";
import { getAsset, isSea } from "node:sea";
import { Worker } from "node:worker_threads";
import { systemCode } from "./system-code.ts";

/** What runs in a thread of its own, each begun by the module of that name. */
export type OwnThread = "unpack-worker";

/** Under these names the single executable holds what runs in threads of their own: a thread there has no file to begin with. */
export const THREAD_ASSETS = "threads/";

/** The system gave none, or this process may have none. */
const REFUSED = new Set(["ERR_WORKER_INIT_FAILED", "ERR_ACCESS_DENIED"]);

/**
 * Starts a thread with what it is given, to be spoken to by messages. `module` is its file beside the asking module; the single executable
 * holds that file, bundled, under the thread's name. Of the environment it sees where compiled code is kept, and what it prints
 * goes nowhere. Undefined where there is no thread for it: a container, or a user, may have a certain number.
 */
export function startOwnThread(name: OwnThread, module: URL, given: unknown): Worker | undefined {
  const cache = getCompileCacheDir();
  // Node says in which folder of its own version it keeps that, and is told the one above.
  const env = cache === undefined ? {} : { NODE_COMPILE_CACHE: path.dirname(cache) };
  const options = { workerData: given, env, stdout: true, stderr: true };
  try {
    if (!isSea()) return new Worker(module, options);
    return new Worker(getAsset(`${THREAD_ASSETS}${name}.cjs`, "utf8"), { ...options, eval: true });
  } catch (error) {
    if (!REFUSED.has(systemCode(error) ?? "")) throw error;
    return undefined;
  }
}
