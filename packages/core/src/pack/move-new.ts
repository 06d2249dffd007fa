import { link, lstat, open, rename, unlink } from "node:fs/promises";
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

/** What a rename says that would replace something. Windows' replaces no folder. */
const TAKEN = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR", "EISDIR"]);

/**
 * Renames without ever replacing what somebody else put at `target`. What lies there after a kill at any moment is `source`, whole, or nothing; on a file
 * system without hard links, FAT's kin, it may be an empty file, which `clearReserved` takes away. Raises E_TARGET_EXISTS, and what the system does.
 */
export async function moveNew(source: string, target: string): Promise<void> {
  const isFolder = (await lstat(source)).isDirectory();
  await refuseExisting(target);
  if (isFolder) await renameFolder(source, target);
  else if (!(await renameByLink(source, target))) await renameByPlaceholder(source, target);
}

/** By itself a rename replaces at most a folder with nothing in it, which somebody would have to make in this very moment. */
async function renameFolder(source: string, target: string): Promise<void> {
  try {
    await rename(source, target);
  } catch (cause) {
    throw TAKEN.has(systemCode(cause) ?? "") ? targetExists(target) : cause;
  }
}

/** A rename replaces files; a second name does not. A kill in between leaves both names. False where the file system has no such thing. */
async function renameByLink(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "EEXIST") throw targetExists(target);
    if (code === "EXDEV") throw cause;
    return false;
  }
  try {
    await unlink(source);
  } catch (cause) {
    await unlink(target).catch(() => {});
    throw cause;
  }
  return true;
}

/** A placeholder is made there first, which fails if there is anything, and is then itself replaced. */
async function renameByPlaceholder(source: string, target: string): Promise<void> {
  try {
    await (await open(target, "wx", 0o600)).close();
  } catch (cause) {
    throw systemCode(cause) === "EEXIST" ? targetExists(target) : cause;
  }
  try {
    await rename(source, target);
  } catch (cause) {
    await unlink(target).catch(() => {});
    throw cause;
  }
}

/** Takes away what a kill left at a place at which it is known that something was about to appear: a file with nothing in it, so nobody loses anything. */
export async function clearReserved(target: string): Promise<void> {
  const there = await lstat(target).catch(() => undefined);
  if (there?.isFile() === true && there.size === 0) await unlink(target).catch(() => {});
}
