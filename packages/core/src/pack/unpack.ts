import { throwIfAborted } from "../base/abort.ts";
import type { PackEntry } from "./entry.ts";
import { readTarStream } from "./frame-reader.ts";
import { framesFor, leavesOf, type Leaf } from "./wanted-files.ts";
import { entriesOf } from "./index-reader.ts";
import { JobPool } from "./job-pool.ts";
import type { SeekTable } from "./seek-table.ts";
import type { PackSource } from "./source.ts";
import type { StagedFile } from "./staged-file.ts";
import type { StagedTree } from "./staged-tree.ts";
import { TarCursor } from "./tar-cursor.ts";
import { EventLoopTurns } from "./event-loop-turns.ts";

/** Files up to this size are written at once, many in one turn, since making them costs more than writing them. */
const SMALL_FILE = 64 * 1024;
/** Larger ones, and parts of them, are written side by side; this bounds what they hold of the frames that they came in. */
const MAX_JOBS = 16;
const MAX_BYTES = 16 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

export interface Unpacking {
  readonly plain: PackSource;
  readonly table: SeekTable;
  readonly tree: StagedTree;
  readonly signal: AbortSignal | undefined;
  /** Called once a file or part of one is handed to the disk. */
  readonly onBytes: (bytes: number) => void;
}

/** Some of the entries, others perhaps later. */
export interface Part {
  /** Undefined: all of them. */
  readonly isWanted: ((leaf: Leaf) => boolean) | undefined;
  /** It is whole. */
  readonly onUnpacked: (leaf: Leaf) => void;
}

/**
 * Writes every leaf of the index, or those of `part`, into its place in the staged tree. Raises what reading and writing raise; no file is open then, and what
 * was not told to be whole is not there.
 */
export async function unpackEntries(work: Unpacking, part?: Part): Promise<void> {
  const isWanted = part?.isWanted;
  const marks = isWanted && (await framesFor(work.plain, work.table, isWanted));
  const pool = new JobPool(MAX_JOBS, MAX_BYTES);
  const turns = new EventLoopTurns();
  const cursor = new TarCursor(readTarStream(work.plain, work.table, work.signal, marks));
  const step = { ...work, pool, cursor };
  try {
    for await (const leaf of leavesOf(entriesOf(work.plain))) {
      if (isWanted === undefined || isWanted(leaf)) {
        await unpackEntry(leaf.entry, step);
        part?.onUnpacked(leaf);
      }
      if (turns.due) {
        await turns.next();
        throwIfAborted(work.signal);
      }
    }
    await pool.drain();
  } catch (error) {
    // Before whoever goes on after an interruption: a file that was told to be whole is not, where its write failed.
    await pool.drain();
    throw error;
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
  const { pool, cursor, tree, onBytes } = step;
  if (entry.kind === "directory") {
    tree.createFolder(entry.path);
    return;
  }
  const first = entry.size === 0 ? NOTHING : await cursor.take(entry.offset, entry.size);
  if (first.length === entry.size && entry.size <= SMALL_FILE) {
    tree.writeSmall(entry.path, entry.kind === "executable", first, timeOf(entry));
    onBytes(entry.size);
    return;
  }
  if (first.length === entry.size) {
    await pool.add(entry.size, async () => {
      const file = await createFile(entry, tree);
      await closing(file, entry, () => file.write(first, 0));
    });
    onBytes(entry.size);
    return;
  }
  const file = await createFile(entry, tree);
  const whole = closing(file, entry, async () => {
    try {
      for (let done = 0; done < entry.size;) {
        const part = await cursor.take(entry.offset + done, entry.size - done);
        const at = done;
        // The part itself is empty once the cursor has it back.
        const { length } = part;
        await pool.add(length, async () => {
          await file.write(part, at);
          cursor.done(part);
        });
        done += length;
        onBytes(length);
      }
      await pool.drain();
    } finally {
      // No write may be under way when the file is closed.
      await pool.settle();
    }
  });
  await whole.catch((error: unknown) => {
    tree.remove(entry.path);
    throw error;
  });
}

async function createFile(entry: PackEntry, tree: StagedTree): Promise<StagedFile> {
  return await tree.createFile(entry.path, entry.kind === "executable");
}

async function closing(file: StagedFile, entry: PackEntry, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
  await file.close(timeOf(entry));
}

function timeOf(entry: PackEntry): number | undefined {
  return entry.mtime === 0 ? undefined : entry.mtime;
}

/** Last, since every file made in a folder changes the folder's time. The index is read again rather than kept. Folders that were not made are passed over. */
export async function setFolderTimes(work: Pick<Unpacking, "plain" | "tree">): Promise<void> {
  const turns = new EventLoopTurns();
  for await (const { kind, mtime, path } of entriesOf(work.plain)) {
    if (kind === "directory" && mtime !== 0) work.tree.setFolderTime(path, mtime);
    if (turns.due) await turns.next();
  }
}
