import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { systemRandom } from "../base/random.ts";
import { isRunning } from "../base/is-running.ts";
import type { DataFolder } from "./data-folder.ts";

/** A pack that is being sealed is `sealing-<process>-<random>` in the folder of packs, until it has a root to be named by. */
const PATTERN = /^sealing-(\d+)-[0-9a-f]+$/;

export function sealingFile(folder: DataFolder): string {
  return path.join(folder.packs, `sealing-${process.pid}-${systemRandom.bytes(4).toString("hex")}`);
}

/**
 * Removes what processes that were killed while they sealed have left; with `isOwnLeft` also what carries this process's number, which then seals nothing
 * itself yet: a restarted container gives the same number again.
 */
export async function removeAbandoned(
  folder: DataFolder,
  { isOwnLeft = false }: { readonly isOwnLeft?: boolean } = {},
): Promise<void> {
  for (const name of await readdir(folder.packs)) {
    const pid = PATTERN.exec(name)?.[1];
    const isOurs = Number(pid) === process.pid;
    if (pid !== undefined && (isOurs ? isOwnLeft : !isRunning(Number(pid))))
      await rm(path.join(folder.packs, name), { force: true });
  }
}
