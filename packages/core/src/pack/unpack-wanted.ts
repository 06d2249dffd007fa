import { isBackroomError } from "../base/errors.ts";
import { entriesOf } from "./index-reader.ts";
import type { FilePriority, Selection } from "./selection.ts";
import { unpackEntries, type Unpacking } from "./unpack.ts";
import { leavesOf, priorityNow, WANTED_PRIORITIES, type Leaf, type WantedFiles } from "./wanted-files.ts";

export interface WantedWork extends Unpacking {
  /** Of the files' contents that are wanted: how much that is, and how much of it is unpacked by now; as often as something else is wanted. */
  readonly onSurvey: (totalBytes: number, doneBytes: number) => void;
}

/**
 * Writes what is wanted into the staging folder, the soonest first; when something else is wanted meanwhile, it goes on with that, and keeps what it has as far
 * as that is still wanted. Returns what was wanted last, and how much of it there is. Raises as `unpackEntries`.
 */
export async function unpackWanted(
  work: WantedWork,
  wanted: WantedFiles,
): Promise<{ readonly selection: Selection; readonly leafCount: number }> {
  // By number of the entry: of a million some ten megabytes, for as long as it is being opened.
  const staged = new Set<number>();
  for (let isFirst = true; ; isFirst = false) {
    const { selection, changed } = wanted.now();
    const priorityOf = (path: string): FilePriority => priorityNow(path, selection, wanted.opened);
    const signal = work.signal === undefined ? changed : AbortSignal.any([work.signal, changed]);
    const unpack = (isWanted?: (leaf: Leaf) => boolean): Promise<void> =>
      unpackEntries({ ...work, signal }, { isWanted, onUnpacked: ({ number }) => void staged.add(number) });
    try {
      if (isFirst && wanted.opened === undefined && selection.isUniform) {
        if (selection.wantsAll) await unpack();
      } else {
        for (const priority of await survey(work, staged, priorityOf)) {
          await unpack(({ entry, number }) => !staged.has(number) && priorityOf(entry.path) === priority);
        }
        if (!isFirst) await removeUnwanted(work, staged, priorityOf);
      }
    } catch (error) {
      const isChange = changed.aborted && work.signal?.aborted !== true;
      if (!isChange || !isBackroomError(error, "E_INTERRUPTED")) throw error;
    }
    if (!changed.aborted) return { selection, leafCount: staged.size };
  }
}

/** Which priorities there are, the soonest first. */
async function survey(
  { plain, onSurvey }: WantedWork,
  staged: ReadonlySet<number>,
  priorityOf: (path: string) => FilePriority,
): Promise<FilePriority[]> {
  const found = new Set<FilePriority>();
  let totalBytes = 0;
  let doneBytes = 0;
  for await (const { entry, number } of leavesOf(entriesOf(plain))) {
    const priority = priorityOf(entry.path);
    found.add(priority);
    if (priority === "skip") continue;
    totalBytes += entry.size;
    if (staged.has(number)) doneBytes += entry.size;
  }
  onSurvey(totalBytes, doneBytes);
  return WANTED_PRIORITIES.filter((priority) => found.has(priority));
}

async function removeUnwanted(
  { plain, tree }: WantedWork,
  staged: Set<number>,
  priorityOf: (path: string) => FilePriority,
): Promise<void> {
  for await (const { entry, number } of leavesOf(entriesOf(plain))) {
    if (!staged.has(number) || priorityOf(entry.path) !== "skip") continue;
    tree.remove(entry.path);
    staged.delete(number);
  }
}
