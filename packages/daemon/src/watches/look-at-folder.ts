import { createHash, type Hash } from "node:crypto";
import { lstat, readdir, realpath } from "node:fs/promises";
import path from "node:path";
import { systemCode } from "@backroom/core/base/system-code.ts";
import { isLeftOut, isUnfinished } from "./left-out-names.ts";
import type { FolderLook } from "./watch-logic.ts";

/** Entries of one folder in a watched one that are looked at. Beyond that changes deep inside may go unseen; sealing it takes hours anyway. */
const MOST_ENTRIES = 200_000;

/**
 * What is in the folder: files and folders at its top, each with a digest over the names, sizes and times of all in it. Left out are what
 * `isLeftOut` names, links and everything that is neither file nor folder, empty folders, and folders in which something is being written
 * by a program that will rename it. Raises the system's error where the folder itself cannot be read; what vanishes or cannot be read below is not there.
 */
export async function lookAtFolder(folder: string): Promise<FolderLook> {
  const look = new Map<string, string>();
  for (const { name } of await readdir(folder, { withFileTypes: true })) {
    if (isLeftOut(name)) continue;
    const hash = createHash("sha256");
    const content = await addTo(hash, path.join(folder, name), { left: MOST_ENTRIES });
    if (content === "some") look.set(name, hash.digest("base64url"));
  }
  return look;
}

/** Whether it is still what was looked at and no link has taken its place, or a place above it: what is shared lies in the folder. */
export async function liesIn(folder: string, name: string): Promise<boolean> {
  try {
    return (await realpath(path.join(folder, name))) === path.join(await realpath(folder), name);
  } catch {
    return false;
  }
}

type Content = "some" | "none" | "unfinished";

/** Adds what an entry looks like to the digest. */
async function addTo(hash: Hash, entry: string, budget: { left: number }): Promise<Content> {
  try {
    const stat = await lstat(entry);
    if (stat.isDirectory()) return await addFolder(hash, entry, budget);
    if (!stat.isFile()) return "none";
    hash.update(`file ${stat.size} ${stat.mtimeMs}\n`);
    return "some";
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return "none";
  }
}

async function addFolder(hash: Hash, folder: string, budget: { left: number }): Promise<Content> {
  const names = (await readdir(folder)).toSorted();
  if (names.some(isUnfinished)) return "unfinished";
  let content: Content = "none";
  for (const name of names) {
    if (budget.left-- <= 0) break;
    hash.update(`${JSON.stringify(name)}\n`);
    const below = await addTo(hash, path.join(folder, name), budget);
    if (below === "unfinished") return below;
    if (below === "some") content = below;
  }
  hash.update("end\n");
  return content;
}
