import { getCompileCacheDir } from "node:module";
import { getAsset, isSea } from "node:sea";
import { Worker, type TransferListItem } from "node:worker_threads";

/** Under these names the single executable holds what runs in threads of their own: a thread there has no file to begin with. */
export const THREAD_ASSETS = "threads/";

/**
 * Starts a thread with what it is given, to be spoken to by messages. `module` is its file beside the asking module; the single executable
 * holds that file, bundled, under the thread's name. Of the environment it sees where compiled code is kept, and what it
 * prints goes nowhere.
 */
export function startOwnThread(
  name: string,
  module: URL,
  given: unknown,
  transferList: TransferListItem[] = [],
): Worker {
  const cache = getCompileCacheDir();
  const env = cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };
  const options = { workerData: given, transferList, env, stdout: true, stderr: true };
  if (!isSea()) return new Worker(module, options);
  return new Worker(getAsset(`${THREAD_ASSETS}${name}.cjs`, "utf8"), { ...options, eval: true });
}
