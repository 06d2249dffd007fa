import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

/** Files are 0644, executables 0755, directories 0755. There is nothing else in a pack. */
export type EntryKind = "file" | "executable" | "directory";

/** One file or directory of a pack, as the index lists it (PROTOCOL 2.3). */
export interface PackEntry {
  /** Components joined by "/", relative; a directory's path ends in "/". */
  readonly path: string;
  readonly kind: EntryKind;
  /** Bytes; 0 for directories. */
  readonly size: number;
  /** Seconds since 1970; 0 means not recorded. */
  readonly mtime: number;
  /** Where the content starts in the tar stream; for directories, where it would. */
  readonly offset: number;
}

/**
 * Checks what the order of a pack promises (PROTOCOL 2.2): paths rise strictly, bytewise, and a directory comes before what is in it.
 * Holds one path a level, so a million entries cost nothing.
 */
export class EntryOrder {
  #previous: Buffer | undefined;
  readonly #parents: string[] = [];

  /** Raises E_PACK where `path` may not follow what came before. */
  next(path: string): void {
    const bytes = Buffer.from(path);
    if (bytes.length === 0 || bytes.length > LIMITS.packPathBytes)
      throw new BackroomError("E_PACK", "a path is empty or too long");
    if (this.#previous !== undefined && Buffer.compare(this.#previous, bytes) >= 0) {
      throw new BackroomError("E_PACK", "the paths are not in order");
    }
    this.#previous = bytes;
    while (this.#parents.length > 0 && !path.startsWith(this.#parents.at(-1) as string)) this.#parents.pop();
    const rest = path.slice(this.#parents.at(-1)?.length ?? 0);
    const slash = rest.indexOf("/");
    if (slash >= 0 && slash !== rest.length - 1)
      throw new BackroomError("E_PACK", "an entry comes before its directory");
    if (slash >= 0) this.#parents.push(path);
  }
}
