import { constants } from "node:fs";
import { lstat, open, readdir, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { systemCode } from "../base/system-code.ts";
import { HeldFolder } from "./held-folder.ts";
import { missing, moveNew, targetExists } from "./move-new.ts";

const COMPARED_BYTES = 1024 * 1024;
/** Neither through a link nor waiting for who writes to a pipe. Windows has neither flag: there a link that takes a file's place in this moment is read. */
const A_FILE = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Whether a tree of files and folders, which nobody else can reach, can be put beside what is at `target`: folders meet folders, and a file that has the
 * place of one of them is the same to the last byte. Raises E_TARGET_EXISTS otherwise, for links of any kind too, and what reading raises.
 */
export async function checkMerge(source: string, target: string): Promise<void> {
  if (!(await lstat(source)).isDirectory()) {
    if (!(await isFree(source, target))) throw targetExists(target);
    return;
  }
  await inFolder(target, async (there) => {
    for (const name of await readdir(source)) await checkMerge(path.join(source, name), await there.at(name));
  });
}

/** Moves what is not at `target` yet, without ever replacing anything. What was there before keeps all that it has, its time included. Raises as `checkMerge`. */
export async function merge(source: string, target: string): Promise<void> {
  const comes = await lstat(source);
  if (comes.isDirectory()) {
    const isThere = await inFolder(target, async (there) => {
      for (const name of await readdir(source)) await merge(path.join(source, name), await there.at(name));
    });
    if (isThere) return;
  } else {
    const there = await lstat(target).catch(missing);
    // What it holds was compared; whoever changes it since then has it.
    if (there?.isFile() === true && there.size === comes.size) return;
  }
  await moveNew(source, target);
}

/** False where nothing is there. */
async function inFolder(place: string, work: (there: HeldFolder) => Promise<void>): Promise<boolean> {
  const there = await HeldFolder.open(place);
  if (there === undefined) return false;
  try {
    await work(there);
  } finally {
    await there.close();
  }
  return true;
}

/** Whether nothing is at `target`, or the same file. */
async function isFree(source: string, target: string): Promise<boolean> {
  let there: FileHandle;
  try {
    there = await open(target, A_FILE);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return true;
    // A link, or a socket.
    if (code === "ELOOP" || code === "EMLINK" || code === "ENXIO") return false;
    throw error;
  }
  await using theirs = there;
  await using ours = await open(source, A_FILE);
  const [comes, found] = [await ours.stat(), await theirs.stat()];
  return found.isFile() && found.size === comes.size && (await areSame(ours, theirs));
}

async function areSame(a: FileHandle, b: FileHandle): Promise<boolean> {
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
}
