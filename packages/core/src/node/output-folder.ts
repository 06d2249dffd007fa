import { mkdir, rmdir } from "node:fs/promises";
import path from "node:path";
import { withStoreErrors } from "../store/store-error.ts";

/**
 * Runs `work` with a folder that is there: made with its parents where it is not, and taken away again when `work` fails and left it empty.
 * Raises E_STORE, E_DISK_FULL and what `work` raises.
 */
export async function withOutputFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const target = path.resolve(folder);
  const first = await withStoreErrors("the output folder could not be made", () =>
    mkdir(target, { recursive: true }),
  );
  try {
    return await work();
  } catch (error) {
    if (first !== undefined) await removeEmpty(target, path.resolve(first));
    throw error;
  }
}

/** From `last` up to `first`, which is one of its parents or itself. */
async function removeEmpty(last: string, first: string): Promise<void> {
  try {
    for (let folder = last; folder.length >= first.length; folder = path.dirname(folder)) await rmdir(folder);
  } catch {
    // Somebody put something there: then it stays.
  }
}
