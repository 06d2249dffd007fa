import { lstat, mkdir, open, rename, rmdir, unlink } from "node:fs/promises";
import path from "node:path";
import { BackroomError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";

/** Raises E_TARGET_EXISTS where there is something. */
export async function refuseExisting(target: string): Promise<void> {
  if ((await lstat(target).catch(missing)) !== undefined) throw targetExists(target);
}

/** undefined for a file that is not there; other errors go on. */
export function missing(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT") throw error;
}

export function targetExists(target: string): BackroomError {
  return new BackroomError("E_TARGET_EXISTS", `“${path.basename(target)}” is there already`);
}

/**
 * Renames without ever replacing what somebody else put at `target`: rename alone replaces files and empty folders. So a placeholder is
 * made there first, which fails if there is anything, and is then itself replaced. Windows' rename replaces no folder.
 */
export async function moveNew(source: string, target: string): Promise<void> {
  const isFolder = (await lstat(source)).isDirectory();
  await refuseExisting(target);
  if (isFolder && process.platform === "win32") return await rename(source, target);
  try {
    if (isFolder) await mkdir(target, { mode: 0o700 });
    else await (await open(target, "wx", 0o600)).close();
  } catch (cause) {
    throw systemCode(cause) === "EEXIST" ? targetExists(target) : cause;
  }
  try {
    await rename(source, target);
  } catch (cause) {
    // The placeholder is removed if it still is one.
    await (isFolder ? rmdir(target) : unlink(target)).catch(() => {});
    throw ["ENOTEMPTY", "EEXIST"].includes(systemCode(cause) ?? "") ? targetExists(target) : cause;
  }
}
