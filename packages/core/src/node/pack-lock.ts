import { acquireLock, type Lock } from "../store/lock.ts";
import { packPaths } from "../store/store-files.ts";
import type { DataFolder } from "./data-folder.ts";

const BUSY = {
  what: "this share is being fetched or handed out already",
  why: "another Backroom process with the same data folder works on it",
  fix: "stop that process first, or use another data folder: --data FOLDER",
};

/** One process at a time has a pack. Raises E_LOCKED, E_DISK_FULL, E_STORE. */
export function lockPack(folder: DataFolder, root: Buffer): Promise<Lock> {
  return acquireLock(`${packPaths(folder.packs, root).pack}.lock`, BUSY);
}
