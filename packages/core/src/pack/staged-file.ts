import type { FileHandle } from "node:fs/promises";
import { fileError } from "./file-error.ts";

/** A file being unpacked. Raises E_DISK_FULL or E_FILE. */
export class StagedFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Writes all of `bytes` at `offset`; writes may come in any order. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    try {
      // One call may write less than it was given, most of all shortly before the disk is full.
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, offset + done);
        done += bytesWritten;
      }
    } catch (cause) {
      throw fileError(cause, "a file of the share could not be written");
    }
  }

  /** Sets the modification time (seconds since 1970), if there is one, and closes. The handle is released even where that fails. */
  async close(mtimeS?: number): Promise<void> {
    try {
      if (mtimeS !== undefined) await this.#handle.utimes(mtimeS, mtimeS);
    } catch (cause) {
      throw fileError(cause, "the time of a file could not be set");
    } finally {
      await this.#handle.close().catch((cause: unknown) => {
        throw fileError(cause, "a file of the share could not be closed");
      });
    }
  }
}
