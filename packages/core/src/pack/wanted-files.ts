import { BackroomError } from "../base/errors.ts";
import type { PackEntry } from "./entry.ts";
import { entriesOf } from "./index-reader.ts";
import type { SeekTable } from "./seek-table.ts";
import type { FilePriority, Selection } from "./selection.ts";
import type { PackSource } from "./source.ts";

/** Which files of a pack are opened; it may change while they are. */
export interface WantedFiles {
  /** What is wanted now. `changed` is aborted when something else is. */
  now(): { readonly selection: Selection; readonly changed: AbortSignal };
  /** What earlier openings put there: it is not opened again, and the rest is put beside it. Undefined where there was none. */
  readonly opened: Selection | undefined;
}

export const WANTED_PRIORITIES = ["high", "normal", "low"] as const satisfies readonly FilePriority[];

/** Whether earlier openings put it there. */
export function wasOpened(path: string, opened: Selection | undefined): boolean {
  return opened !== undefined && opened.priorityOf(path) !== "skip";
}

/** Of an entry, as far as it is to be opened at all. */
export function priorityNow(path: string, selection: Selection, opened: Selection | undefined): FilePriority {
  return wasOpened(path, opened) ? "skip" : selection.priorityOf(path);
}

/** An entry that is opened for its own sake: a file, or a folder with nothing in it. Its number counts all entries of the pack. */
export interface Leaf {
  readonly entry: PackEntry;
  readonly number: number;
}

/** The leaves of an index in its order, from all its entries. Folders with something in them are made along with that. */
export async function* leavesOf(entries: AsyncIterable<PackEntry>): AsyncGenerator<Leaf> {
  let number = 0;
  let folder: Leaf | undefined;
  for await (const entry of entries) {
    if (folder !== undefined && !entry.path.startsWith(folder.entry.path)) yield folder;
    folder = entry.kind === "directory" ? { entry, number } : undefined;
    if (folder === undefined) yield { entry, number };
    number++;
  }
  if (folder !== undefined) yield folder;
}

/** A mark for each frame that holds a part of what `isWanted`. Raises E_PACK where the frames end too early. */
export async function framesFor(
  plain: PackSource,
  table: SeekTable,
  isWanted: (leaf: Leaf) => boolean,
): Promise<Uint8Array> {
  const marks = new Uint8Array(table.count);
  let frame = 0;
  let start = 0;
  const next = (): void => {
    start += table.contentLength(frame);
    if (++frame > table.count) throw new BackroomError("E_PACK", "the tar stream ends too early");
  };
  for await (const leaf of leavesOf(entriesOf(plain))) {
    const { offset, size } = leaf.entry;
    if (size === 0 || !isWanted(leaf)) continue;
    while (start + table.contentLength(frame) <= offset) next();
    marks[frame] = 1;
    // The last frame of a file may hold the next one, too.
    while (start + table.contentLength(frame) < offset + size) {
      next();
      marks[frame] = 1;
    }
  }
  return marks;
}
