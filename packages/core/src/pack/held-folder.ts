import { constants, existsSync } from "node:fs";
import { lstat, open, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { systemCode } from "../base/system-code.ts";
import { targetExists } from "./move-new.ts";

/** Windows has neither flag, and links there are junctions, which `lstat` tells. */
const A_FOLDER =
  constants.O_RDONLY |
  (constants.O_DIRECTORY ?? 0) |
  (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NONBLOCK ?? 0);
/** What is no folder, or a link, which may lead to one. */
const OTHER = new Set(["ENOTDIR", "ELOOP", "EMLINK"]);

/**
 * A folder of a person's own into which something is put: whoever may write to where it lies could put a symbolic link in its place meanwhile, which would
 * then be followed. On Linux it is held open, and what is done in it is done there, whatever has its name by then. Elsewhere no system call of Node's can do
 * that: it is looked at once more for each name, which leaves a moment, and on Windows only when it is opened.
 */
export class HeldFolder {
  readonly #place: string;
  readonly #handle: FileHandle | undefined;

  private constructor(place: string, handle: FileHandle | undefined) {
    this.#place = place;
    this.#handle = handle;
  }

  /** Undefined where nothing is. Raises E_TARGET_EXISTS for what is no folder, a link to one included, and what opening raises. */
  static async open(place: string): Promise<HeldFolder | undefined> {
    try {
      if (process.platform !== "win32") return new HeldFolder(place, await open(place, A_FOLDER));
      if ((await lstat(place)).isDirectory()) return new HeldFolder(place, undefined);
      throw targetExists(place);
    } catch (error) {
      const code = systemCode(error) ?? "";
      if (code === "ENOENT") return undefined;
      throw OTHER.has(code) ? targetExists(place) : error;
    }
  }

  /** The path by which something in it is reached for as long as it is held. Raises E_TARGET_EXISTS where the folder is known to be another one by now. */
  async at(name: string): Promise<string> {
    const handle = this.#handle;
    if (handle === undefined) return path.join(this.#place, name);
    const held = `/proc/self/fd/${handle.fd}`;
    if (process.platform === "linux" && existsSync(held)) return `${held}/${name}`;
    const [was, is] = [await handle.stat(), await lstat(this.#place)];
    if (was.ino !== is.ino || was.dev !== is.dev) throw targetExists(this.#place);
    return path.join(this.#place, name);
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }
}
