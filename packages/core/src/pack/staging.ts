import fs, { constants } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { BackroomError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";
import type { Random } from "../base/random.ts";
import { isRunning } from "../base/is-running.ts";
import { fileError } from "./file-error.ts";
import { checkMerge, merge } from "./merge.ts";
import { missing, moveNew, refuseExisting } from "./move-new.ts";
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
  /** Where the share will be. Its parent must exist. */
  readonly target: string;
  /** Something may be there already, beside which it is put: see `commitBeside`. Otherwise nothing may. */
  readonly mayExist?: boolean;
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
      if (options.mayExist !== true) await refuseExisting(target);
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

  /** Takes away a file, or a folder with nothing in it, and the folders that have nothing in them any more. Raises E_UNSAFE_PATH, E_FILE. */
  remove(entryPath: string): void {
    const components = checkOutputPath(entryPath);
    this.#madeParent = undefined;
    try {
      fs.rmSync(path.join(this.#tree, ...components), { recursive: true, force: true });
      while (components.pop() !== undefined && components.length > 0) {
        const parent = path.join(this.#tree, ...components);
        if (fs.readdirSync(parent).length > 0) break;
        fs.rmdirSync(parent);
      }
    } catch (cause) {
      throw fileError(cause, "a file of the share could not be taken away again");
    }
  }

  /** Sets a folder's time, which every entry made in it changes: so after all of them. Does nothing where it was not made. Raises E_UNSAFE_PATH, E_FILE. */
  setFolderTime(entryPath: string, mtimeS: number): void {
    checkOutputPath(entryPath);
    try {
      fs.utimesSync(`${this.#tree}/${entryPath}`, mtimeS, mtimeS);
    } catch (cause) {
      if (systemCode(cause) === "ENOENT") return;
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
    const source = this.#top(onlyEntry);
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

  /**
   * The same where something is at the target already, beside which the result is put, file by file: what is there is not touched, and no file is
   * shown before it is whole. A kill in between leaves some of them there, which the next time are found to be the same. Raises E_TARGET_EXISTS, before
   * anything is put anywhere, where something else has the place of one of them. Discards what is left either way.
   */
  async commitBeside(onlyEntry?: string): Promise<void> {
    const source = this.#top(onlyEntry);
    try {
      await checkMerge(source, this.#target);
      await merge(source, this.#target);
    } catch (cause) {
      throw fileError(cause, "the result could not be moved to its place");
    } finally {
      await this.discard();
    }
  }

  #top(onlyEntry: string | undefined): string {
    return onlyEntry === undefined ? this.#tree : path.join(this.#tree, ...checkOutputPath(onlyEntry));
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

/** In a fresh private tree, a name that is taken was taken by another entry of the share. */
function entryError(cause: unknown, what: string): BackroomError {
  const taken = ["EEXIST", "ELOOP", "ENOTDIR", "EISDIR"].includes(systemCode(cause) ?? "");
  if (!taken) return fileError(cause, what);
  return new BackroomError("E_UNSAFE_PATH", what, {
    cause,
    why: "this file system takes two names of the share for one",
  });
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
