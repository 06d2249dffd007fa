import fs, { constants } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, rename, rm, rmdir, unlink } from "node:fs/promises";
import path from "node:path";
import { BackroomError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";
import type { Random } from "../base/random.ts";
import { isRunning } from "../base/is-running.ts";
import { fileError } from "./file-error.ts";
import { checkOutputPath } from "./output-path.ts";
import { StagedFile } from "./staged-file.ts";

/**
 * Where a share is unpacked before it is shown: a private folder beside the target, so that the last step is a rename in one file system.
 *
 *   <parent>/.backroom-<16 hex of the root>-<pid>-<8 hex>/     0700: nobody else can put a symbolic link in a path's way
 *       tree/                                                   becomes the target, or holds the one entry that does
 */
const TREE = "tree";
/** O_NOFOLLOW does not exist on Windows, where O_EXCL refuses links, too. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
/** Staging folders of this process. A process id alone says nothing where every run has the same one, as in containers. */
const liveFolders = new Set<string>();

export interface StagingOptions {
  /** Where the share will be; must not exist. Its parent must. */
  readonly target: string;
  /** Pieces root of the pack, from which leftovers of killed runs are known. */
  readonly root: Uint8Array;
}

export class Staging {
  readonly #target: string;
  readonly #folder: string;
  readonly #tree: string;
  /** Folder in which the last entry was made; most entries share it with the one before. */
  #madeParent: string | undefined;

  private constructor(target: string, folder: string) {
    this.#target = target;
    this.#folder = folder;
    this.#tree = path.join(folder, TREE);
  }

  /**
   * Removes what killed runs for the same pack left, and makes the private folder. Raises E_TARGET_EXISTS where there is
   * something at the target, E_FILE, E_DISK_FULL.
   */
  static async open(options: StagingOptions, random: Random): Promise<Staging> {
    const target = path.resolve(options.target);
    const parent = path.dirname(target);
    const prefix = `.backroom-${Buffer.from(options.root).toString("hex").slice(0, 16)}-`;
    const folder = path.join(parent, `${prefix}${process.pid}-${random.bytes(4).toString("hex")}`);
    try {
      await refuseExisting(target);
      await removeLeftovers(parent, prefix);
      // Not recursive: fails where it exists, so it is ours alone.
      await mkdir(folder, { mode: 0o700 });
      liveFolders.add(folder);
      await mkdir(path.join(folder, TREE), { mode: 0o700 });
    } catch (cause) {
      throw fileError(cause, "no folder could be made beside the target");
    }
    return new Staging(target, folder);
  }

  /** Makes a file of mode 0644 or 0755, and its parents. Raises E_UNSAFE_PATH, also where the file system takes the name for one that is there. */
  async createFile(entryPath: string, executable: boolean): Promise<StagedFile> {
    const place = this.#place(entryPath);
    try {
      return new StagedFile(await open(place, NEW_FILE, modeOf(executable)));
    } catch (cause) {
      throw entryError(cause, CANNOT_MAKE_FILE);
    }
  }

  /** Makes a small file with its content and time (seconds since 1970), if there is one, at once. Raises as `createFile` and `StagedFile`. */
  writeSmall(entryPath: string, executable: boolean, content: Uint8Array, mtimeS?: number): void {
    const place = this.#place(entryPath);
    let descriptor: number;
    try {
      descriptor = fs.openSync(place, NEW_FILE, modeOf(executable));
    } catch (cause) {
      throw entryError(cause, CANNOT_MAKE_FILE);
    }
    try {
      try {
        // One call may write less than it was given, most of all shortly before the disk is full.
        for (let done = 0; done < content.length;) done += fs.writeSync(descriptor, content, done);
        if (mtimeS !== undefined) fs.futimesSync(descriptor, mtimeS, mtimeS);
      } finally {
        fs.closeSync(descriptor);
      }
    } catch (cause) {
      throw fileError(cause, "a file of the share could not be written");
    }
  }

  /** Makes a folder, and its parents. One that is there already is fine. Raises as `createFile`. */
  createFolder(entryPath: string): void {
    checkOutputPath(entryPath);
    this.#makeFolder(entryPath.endsWith("/") ? entryPath.slice(0, -1) : entryPath);
  }

  /** Sets a folder's time, which every entry made in it changes: so after all of them. Raises E_UNSAFE_PATH, E_FILE. */
  setFolderTime(entryPath: string, mtimeS: number): void {
    checkOutputPath(entryPath);
    try {
      fs.utimesSync(`${this.#tree}/${entryPath}`, mtimeS, mtimeS);
    } catch (cause) {
      throw fileError(cause, "the time of a folder could not be set");
    }
  }

  /** Where the entry lies, whose parents are made. */
  #place(entryPath: string): string {
    checkOutputPath(entryPath);
    this.#makeFolder(entryPath.slice(0, Math.max(0, entryPath.lastIndexOf("/"))));
    return `${this.#tree}/${entryPath}`;
  }

  #makeFolder(folderPath: string): void {
    if (folderPath === this.#madeParent) return;
    try {
      fs.mkdirSync(`${this.#tree}/${folderPath}`, { recursive: true, mode: 0o755 });
    } catch (cause) {
      throw entryError(cause, "a folder of the share could not be made");
    }
    this.#madeParent = folderPath;
  }

  /**
   * Shows the result at the target, at once and whole: the tree, or with `onlyEntry` the one file or folder at its top. All files must
   * be closed. `onPlacing` is called right before, with the number by which its file system knows the result. Raises E_TARGET_EXISTS where somebody put
   * something there meanwhile, and what `onPlacing` raises. Discards what is left either way.
   */
  async commit(onlyEntry?: string, onPlacing?: (fileId: string) => void): Promise<void> {
    const tree = this.#tree;
    const source = onlyEntry === undefined ? tree : path.join(tree, ...checkOutputPath(onlyEntry));
    try {
      if (onlyEntry === undefined) await chmod(tree, 0o755 & ~process.umask());
      onPlacing?.(String((await lstat(source, { bigint: true })).ino));
      await moveNew(source, this.#target);
    } catch (cause) {
      throw fileError(cause, "the result could not be moved to its place");
    } finally {
      await this.discard();
    }
  }

  /** Removes everything that is not committed. May be called at any time, also twice; never raises. */
  async discard(): Promise<void> {
    // What cannot be removed now is found by the next run, once it is no longer counted as live.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
    liveFolders.delete(this.#folder);
  }
}

const CANNOT_MAKE_FILE = "a file of the share could not be made";

function modeOf(executable: boolean): number {
  return executable ? 0o755 : 0o644;
}

async function refuseExisting(target: string): Promise<void> {
  if ((await lstat(target).catch(missing)) !== undefined) throw targetExists(target);
}

/** undefined for a file that is not there; other errors go on. */
function missing(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT") throw error;
}

function targetExists(target: string): BackroomError {
  return new BackroomError("E_TARGET_EXISTS", `“${path.basename(target)}” is there already`);
}

/** In a fresh private tree, a name that is taken was taken by another entry of the share. */
function entryError(cause: unknown, what: string): BackroomError {
  const taken = ["EEXIST", "ELOOP", "ENOTDIR", "EISDIR"].includes(systemCode(cause) ?? "");
  if (!taken) return fileError(cause, what);
  return new BackroomError("E_UNSAFE_PATH", what, {
    cause,
    why: "this file system takes two names of the share for one",
  });
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

/** Removes staging folders of the same pack whose process is gone. Only folders of this user: others could be a trap. */
async function removeLeftovers(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(prefix)
      ? /^(\d+)-[0-9a-f]{8}$/.exec(name.slice(prefix.length))?.[1]
      : undefined;
    const folder = path.join(parent, name);
    if (pid === undefined || liveFolders.has(folder) || isOfAnother(Number(pid))) continue;
    const stat = await lstat(folder).catch(missing);
    if (stat === undefined || !stat.isDirectory() || stat.uid !== (process.getuid?.() ?? stat.uid)) continue;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

/** Our own id in a folder that is not live is that of a run before us. */
function isOfAnother(pid: number): boolean {
  return pid !== process.pid && isRunning(pid);
}
