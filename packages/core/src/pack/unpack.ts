import type { PackEntry } from "./entry.ts";
import { readTarStream } from "./frame-reader.ts";
import { readIndex } from "./index-reader.ts";
import { JobPool } from "./job-pool.ts";
import type { SeekTable } from "./seek-table.ts";
import type { PackSource } from "./source.ts";
import type { StagedFile } from "./staged-file.ts";
import type { Staging } from "./staging.ts";
import { TarCursor } from "./tar-cursor.ts";

/** Files written side by side, and what they hold of the frames that they came in. */
const MAX_JOBS = 16;
const MAX_BYTES = 16 * 1024 * 1024;

export interface Unpacking {
  readonly plain: PackSource;
  readonly table: SeekTable;
  readonly staging: Staging;
  readonly signal: AbortSignal | undefined;
  /** Called once a file or part of one is handed to the disk. */
  readonly onBytes: (bytes: number) => void;
}

/** Writes every entry of the index into the staging folder. Raises what reading and writing raise; no file is open then. */
export async function unpackEntries(work: Unpacking): Promise<void> {
  const pool = new JobPool(MAX_JOBS, MAX_BYTES);
  const cursor = new TarCursor(readTarStream(work.plain, work.table, work.signal));
  try {
    for await (const record of readIndex(work.plain)) {
      if (record.type === "entry") await unpackEntry(record.entry, { ...work, pool, cursor });
    }
    await pool.drain();
    await setFolderTimes(work);
  } finally {
    await pool.settle();
    await cursor.close();
  }
}

interface Step extends Unpacking {
  readonly pool: JobPool;
  readonly cursor: TarCursor;
}

async function unpackEntry(entry: PackEntry, step: Step): Promise<void> {
  const { pool, cursor, staging, onBytes } = step;
  if (entry.kind === "directory") {
    await pool.add(0, () => staging.createFolder(entry.path));
    return;
  }
  const first = entry.size === 0 ? Buffer.alloc(0) : await cursor.take(entry.offset, entry.size);
  if (first.length === entry.size) {
    await pool.add(entry.size, async () => {
      const file = await createFile(entry, staging);
      await closing(file, entry, () => file.write(first, 0));
    });
    onBytes(entry.size);
    return;
  }
  const file = await createFile(entry, staging);
  await closing(file, entry, async () => {
    try {
      for (let done = 0; done < entry.size;) {
        const part = await cursor.take(entry.offset + done, entry.size - done);
        const at = done;
        await pool.add(part.length, () => file.write(part, at));
        done += part.length;
        onBytes(part.length);
      }
      await pool.drain();
    } finally {
      // No write may be under way when the file is closed.
      await pool.settle();
    }
  });
}

async function createFile(entry: PackEntry, staging: Staging): Promise<StagedFile> {
  return await staging.createFile(entry.path, entry.kind === "executable");
}

async function closing(file: StagedFile, entry: PackEntry, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
  await file.close(entry.mtime === 0 ? undefined : entry.mtime);
}

/** Last, since every file made in a folder changes the folder's time. The index is read again rather than kept. */
async function setFolderTimes(work: Unpacking): Promise<void> {
  for await (const record of readIndex(work.plain)) {
    if (record.type !== "entry") continue;
    const { kind, mtime, path } = record.entry;
    if (kind === "directory" && mtime !== 0) await work.staging.setFolderTime(path, mtime);
  }
}
