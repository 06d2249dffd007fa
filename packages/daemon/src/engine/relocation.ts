import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readdir, rm, rmdir, utimes } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { systemCode } from "@backroom/core/base/system-code.ts";
import { fileError } from "@backroom/core/pack/file-error.ts";
import { moveNew } from "@backroom/core/pack/move-new.ts";
import { ASIDE, type Move } from "./unfinished.ts";

/** What moving goes through; tests pass one that finds two file systems. */
export interface MoveDeps {
  /** Renames, and never onto something. */
  readonly moveNew: (source: string, target: string) => Promise<void>;
  /** Called before each step from which a kill would leave something on disk that only this move explains. */
  readonly onMoving?: (move: Move) => void;
}

/**
 * Moves a file or folder into a folder, where nothing of its name may be. Within a file system that is a rename; into another one everything is copied,
 * compared, and shown at once before the old one goes. Returns where it is now. Raises E_TARGET_EXISTS, E_FILE, E_DISK_FULL, E_INTERRUPTED; the old one is
 * still there then.
 */
export async function moveInto(
  source: string,
  folder: string,
  signal: AbortSignal,
  deps: MoveDeps = { moveNew },
): Promise<string> {
  const target = path.join(path.resolve(folder), path.basename(source));
  if (target === path.resolve(source)) return target;
  try {
    await mkdir(path.dirname(target), { recursive: true });
    try {
      deps.onMoving?.({ from: source, to: target, fileId: await fileIdOf(source) });
      await deps.moveNew(source, target);
    } catch (error) {
      if (systemCode(error) !== "EXDEV") throw error;
      await copyOver(source, target, signal, deps);
    }
    return target;
  } catch (cause) {
    throw fileError(cause, "the files could not be moved");
  }
}

async function copyOver(source: string, target: string, signal: AbortSignal, deps: MoveDeps): Promise<void> {
  // Beside the target and for its owner alone, like what a download is unpacked into.
  const aside = path.join(path.dirname(target), `${ASIDE}${systemRandom.bytes(8).toString("hex")}`);
  const move = { from: source, to: target, aside };
  deps.onMoving?.({ ...move, fileId: "" });
  await mkdir(aside, { mode: 0o700 });
  try {
    const copy = path.join(aside, path.basename(target));
    await copyTree(source, copy, signal);
    deps.onMoving?.({ ...move, fileId: await fileIdOf(copy) });
    await deps.moveNew(copy, target);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  // What cannot be taken away stays: the files are known at their new place from here on.
  await removeCopied(source, target).catch(() => {});
}

/** Takes away what was copied, and the folders that hold nothing else: somebody may have put something there meanwhile. */
async function removeCopied(original: string, copy: string): Promise<void> {
  if (!(await lstat(copy)).isDirectory()) return rm(original, { force: true });
  // A link that has its place by now leads elsewhere.
  if (!(await lstat(original)).isDirectory()) return;
  for (const name of await readdir(copy)) {
    await removeCopied(path.join(original, name), path.join(copy, name)).catch(() => {});
  }
  await rmdir(original);
}

/** Files and folders only: a download holds nothing else, and what somebody put among it is not followed. */
async function copyTree(source: string, copy: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new BackroomError("E_INTERRUPTED", "the files were not moved");
  const stat = await lstat(source);
  if (stat.isDirectory()) {
    await mkdir(copy);
    for (const name of await readdir(source)) {
      await copyTree(path.join(source, name), path.join(copy, name), signal);
    }
    await chmod(copy, stat.mode & 0o777);
  } else if (stat.isFile()) {
    await copyFile(source, copy, constants.COPYFILE_EXCL);
    const [from, to] = [await hashOf(source), await hashOf(copy)];
    if (!from.equals(to))
      throw new BackroomError("E_FILE", "a file differs from its copy: the disk may be failing");
  } else {
    throw new BackroomError("E_FILE", "there is something among the files that is neither file nor folder", {
      fix: "move it away, or move the files yourself",
    });
  }
  await utimes(copy, stat.atimeMs / 1000, stat.mtimeMs / 1000);
}

async function fileIdOf(place: string): Promise<string> {
  return String((await lstat(place, { bigint: true })).ino);
}

async function hashOf(file: string): Promise<Buffer> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest();
}
