import { lstat, open, readdir, utimes, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { missing, moveNew, targetExists } from "./move-new.ts";

const COMPARED_BYTES = 1024 * 1024;

/**
 * Whether a tree of files and folders can be put beside what is at `target`: folders meet folders, and a file that has the place of one of them is the
 * same to the last byte. Raises E_TARGET_EXISTS otherwise, and what reading raises.
 */
export async function checkMerge(source: string, target: string): Promise<void> {
  const there = await lstat(target).catch(missing);
  if (there === undefined) return;
  const comes = await lstat(source);
  // Of a symbolic link nobody knows where it leads to by the time it is followed.
  if (comes.isDirectory() && there.isDirectory()) {
    for (const name of await readdir(source))
      await checkMerge(path.join(source, name), path.join(target, name));
    return;
  }
  const isSame =
    comes.isFile() && there.isFile() && comes.size === there.size && (await areSame(source, target));
  if (!isSame) throw targetExists(target);
}

/** Moves what is not at `target` yet, without ever replacing anything; folders that something was added to get the time of the folder that it came from. */
export async function merge(source: string, target: string): Promise<void> {
  if ((await lstat(target).catch(missing)) === undefined) return moveNew(source, target);
  const stat = await lstat(source);
  if (!stat.isDirectory()) return;
  const names = await readdir(source);
  for (const name of names) await merge(path.join(source, name), path.join(target, name));
  if (names.length > 0) await utimes(target, stat.atimeMs / 1000, stat.mtimeMs / 1000);
}

async function areSame(one: string, other: string): Promise<boolean> {
  const handles: FileHandle[] = [];
  try {
    for (const file of [one, other]) handles.push(await open(file, "r"));
    const [a, b] = handles as [FileHandle, FileHandle];
    const buffers = [Buffer.allocUnsafe(COMPARED_BYTES), Buffer.allocUnsafe(COMPARED_BYTES)] as const;
    for (let at = 0; ;) {
      const [{ bytesRead }, { bytesRead: others }] = await Promise.all([
        a.read(buffers[0], 0, COMPARED_BYTES, at),
        b.read(buffers[1], 0, COMPARED_BYTES, at),
      ]);
      const count = Math.min(bytesRead, others);
      if (count === 0) return bytesRead === others;
      if (!buffers[0].subarray(0, count).equals(buffers[1].subarray(0, count))) return false;
      at += count;
    }
  } finally {
    for (const handle of handles) await handle.close();
  }
}
