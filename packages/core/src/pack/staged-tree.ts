import fs, { constants } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { BackroomError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";
import { fileError } from "./file-error.ts";
import { checkOutputPath, unmarked } from "./output-path.ts";
import { StagedFile } from "./staged-file.ts";

/** O_NOFOLLOW does not exist on Windows, where O_EXCL refuses links, too. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/** The folder in which a share's files are made before they are shown: private, and empty when this begins. Whoever made it shows or removes it. */
export class StagedTree {
  readonly folder: string;
  /** Folder in which the last entry was made; most entries share it with the one before. */
  #madeParent: string | undefined;

  constructor(folder: string) {
    this.folder = folder;
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
    this.#makeFolder(unmarked(entryPath));
  }

  /** Takes away a file, or a folder with nothing in it, and the folders that have nothing in them any more. Raises E_UNSAFE_PATH, E_FILE. */
  remove(entryPath: string): void {
    const components = checkOutputPath(entryPath);
    this.#madeParent = undefined;
    try {
      fs.rmSync(path.join(this.folder, ...components), { recursive: true, force: true });
      while (components.pop() !== undefined && components.length > 0) {
        const parent = path.join(this.folder, ...components);
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
      fs.utimesSync(`${this.folder}/${entryPath}`, mtimeS, mtimeS);
    } catch (cause) {
      if (systemCode(cause) === "ENOENT") return;
      throw fileError(cause, "the time of a folder could not be set");
    }
  }

  /** Where the entry lies, whose parents are made. */
  #place(entryPath: string): string {
    checkOutputPath(entryPath);
    this.#makeFolder(entryPath.slice(0, Math.max(0, entryPath.lastIndexOf("/"))));
    return `${this.folder}/${entryPath}`;
  }

  #makeFolder(folderPath: string): void {
    if (folderPath === this.#madeParent) return;
    try {
      fs.mkdirSync(`${this.folder}/${folderPath}`, { recursive: true, mode: 0o755 });
    } catch (cause) {
      throw entryError(cause, "a folder of the share could not be made");
    }
    this.#madeParent = folderPath;
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
