import { chmod, lstat, mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Random } from "../base/random.ts";
import { isRunning } from "../base/is-running.ts";
import { fileError } from "./file-error.ts";
import { checkMerge, merge } from "./merge.ts";
import { missing, moveNew, refuseExisting } from "./move-new.ts";
import { checkOutputPath } from "./output-path.ts";
import { StagedTree } from "./staged-tree.ts";

/**
 * Where a share is unpacked before it is shown: a private folder beside the target, so that the last step is a rename in one file system.
 *
 *   <parent>/.backroom-<16 hex of the root>-<pid>-<8 hex>/     0700: nobody else can put a symbolic link in a path's way
 *       tree/                                                   becomes the target, or holds the one entry that does
 */
const TREE = "tree";
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

/** One such folder: entries are made in it, then moved to the target by `commit` or `commitBeside`, or thrown away by `discard`. Every path is checked when it is made (PROTOCOL 2.8). */
export class Staging {
  /** What is to be shown; nothing else is written. */
  readonly tree: StagedTree;
  readonly #target: string;
  readonly #folder: string;

  private constructor(target: string, folder: string) {
    this.#target = target;
    this.#folder = folder;
    this.tree = new StagedTree(path.join(folder, TREE));
  }

  /**
   * Removes what killed runs for the same pack left, and makes the private folder. Raises E_TARGET_EXISTS where there is
   * something at the target, E_FILE, E_DISK_FULL.
   */
  static async open(options: StagingOptions, random: Random): Promise<Staging> {
    const target = path.resolve(options.target);
    const parent = path.dirname(target);
    const folder = path.join(
      parent,
      `${prefixOf(options.root)}${process.pid}-${random.bytes(4).toString("hex")}`,
    );
    try {
      if (options.mayExist !== true) await refuseExisting(target);
      await removeStaged(parent, options.root);
      // Not recursive: fails where it exists, so it is ours alone.
      await mkdir(folder, { mode: 0o700 });
      liveFolders.add(folder);
      await mkdir(path.join(folder, TREE), { mode: 0o700 });
    } catch (cause) {
      throw fileError(cause, "no folder could be made beside the target");
    }
    return new Staging(target, folder);
  }

  /**
   * Shows the result at the target, at once and whole: the tree, or with `onlyEntry` the one file or folder at its top. All files must
   * be closed. `onPlacing` is called right before, with the number by which its file system knows the result. Raises E_TARGET_EXISTS where somebody put
   * something there meanwhile, and what `onPlacing` raises. Discards what is left either way.
   */
  async commit(onlyEntry?: string, onPlacing?: (fileId: string) => void): Promise<void> {
    const source = this.#top(onlyEntry);
    try {
      if (onlyEntry === undefined) await chmod(this.tree.folder, 0o755 & ~process.umask());
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
    const { folder } = this.tree;
    return onlyEntry === undefined ? folder : path.join(folder, ...checkOutputPath(onlyEntry));
  }

  /** Removes everything that is not committed. May be called at any time, also twice; never raises. */
  async discard(): Promise<void> {
    // What cannot be removed now is found by the next run, once it is no longer counted as live.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
    liveFolders.delete(this.#folder);
  }
}

function prefixOf(root: Uint8Array): string {
  return `.backroom-${Buffer.from(root).toString("hex").slice(0, 16)}-`;
}

/**
 * Removes staging folders of the same pack in `parent` whose process is gone. Only folders of this user: others could be a trap. Raises what looking into
 * `parent` raises.
 */
export async function removeStaged(parent: string, root: Uint8Array): Promise<void> {
  const prefix = prefixOf(root);
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
