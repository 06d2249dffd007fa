import { open, readFile, rename, stat, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { BackroomError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";
import { storeError, withStoreErrors } from "./store-error.ts";

/** Writes to one path wait for each other, so that they can share the name of the temporary file. */
const writing = new Map<string, Promise<void>>();

/** The whole file, or undefined where there is none. Raises E_STORE, also for a file of more than `maxBytes`. */
export async function readStateFile(file: string, maxBytes: number): Promise<Buffer | undefined> {
  try {
    const { size } = await stat(file);
    if (size > maxBytes) throw new BackroomError("E_STORE", "a state file is larger than any that we write");
    return await readFile(file);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw storeError(error, "a state file could not be read");
  }
}

/**
 * Replaces the file's content: whoever reads it, also after a crash, finds the old content whole or the new one whole.
 * Readable by its owner alone. Raises E_DISK_FULL or E_STORE, and then the old content stays.
 */
export async function writeStateFile(file: string, content: Uint8Array): Promise<void> {
  const before = writing.get(file) ?? Promise.resolve();
  const turn = before.then(() => replace(file, content));
  const settled = turn.catch(() => {});
  writing.set(file, settled);
  try {
    await turn;
  } finally {
    if (writing.get(file) === settled) writing.delete(file);
  }
}

async function replace(file: string, content: Uint8Array): Promise<void> {
  await withStoreErrors("a state file could not be written", async () => {
    const temporary = `${file}.tmp`;
    await withFile(temporary, "w", async (handle) => {
      await handle.writeFile(content);
      await handle.sync();
    });
    await rename(temporary, file);
    await syncFolder(path.dirname(file));
  });
}

/** Makes renames and new files in `folder` outlast a power cut. Windows cannot open folders and needs no such thing. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  await withFile(folder, "r", (handle) => handle.sync());
}

/** Opens, runs, and closes whatever happens. New files are readable by their owner alone. */
async function withFile(
  file: string,
  flags: string,
  run: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const handle = await open(file, flags, 0o600);
  try {
    await run(handle);
  } finally {
    await handle.close();
  }
}
