import type { CallContext, Handlers, Input } from "@backroom/api/routes.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { parseLink } from "@backroom/core/link/link.ts";
import { keysOf } from "@backroom/core/node/pack-files.ts";
import { knownPaths, trimmedPath } from "@backroom/core/node/patterns.ts";
import type { PackEntry } from "@backroom/core/pack/entry.ts";
import { Selection, type FileChoice } from "@backroom/core/pack/selection.ts";
import type { StoredSelection, TransferRecord } from "../catalogue/catalogue.ts";
import { isInReach, outOfReach } from "../reach.ts";
import type { ShareFiles } from "./share-content.ts";
import { fetchedBeside, WHOLE } from "./transfer-state.ts";
import type { Transfers } from "./transfers.ts";

/** Which files of a share are fetched, and how soon. */
export function choosingHandlers(transfers: Transfers, files: ShareFiles): Pick<Handlers, "chooseFiles"> {
  const { catalogue } = transfers.context;

  async function chooseFiles(
    { id, choices }: Input<"chooseFiles">,
    { signal, reach }: Pick<CallContext, "signal" | "reach">,
  ) {
    return transfers.change(id, async () => {
      const record = transfers.record(id);
      assertChoosable(record);
      const { selection, counts } = await chosenNow(record, choices, { signal, reach });
      // Not before: while the index was read the download may have come to its end, and what it opened is known since then.
      const before = catalogue.selection(id);
      const { finishedMs } = transfers.record(id);
      const opened = before?.opened ?? (finishedMs === null ? null : Selection.everything.choices());
      if (opened !== null) assertKeepable(Selection.kept(opened), selection);
      const isMore = finishedMs !== null && !Selection.kept(opened ?? []).covers(selection);
      // What is handed out, or is over, goes on beside what is there.
      if (isMore) await transfers.halt(id);
      try {
        const now = {
          ...transfers.record(id),
          ...counts,
          ...(selection.wantsAll ? WHOLE : {}),
        };
        catalogue.together(() => {
          catalogue.putSelection(id, { choices: selection.choices(), opened, held: before?.held ?? null });
          catalogue.put(isMore ? fetchedBeside(now) : now);
        });
      } finally {
        if (isMore) transfers.goOn(id);
      }
      transfers.chosen(id);
      transfers.publish(id);
      return transfers.view(id);
    });
  }

  /** What is chosen with `choices`, and what that comes to as far as the index is here. Raises E_SCOPE, E_NO_FILE, E_SELECTION, and what reading raises. */
  async function chosenNow(
    record: TransferRecord,
    choices: readonly FileChoice[],
    { signal, reach }: Pick<CallContext, "signal" | "reach">,
  ): Promise<{ readonly selection: Selection; readonly counts: Partial<TransferRecord> | undefined }> {
    const { id, output } = record;
    const before = catalogue.selection(id);
    const chosen = Selection.of(before?.choices ?? []);
    const asNamed = (entries: AsyncIterable<PackEntry>): Promise<FileChoice[]> => named(entries, choices);
    const selection = chosen.with((await files.withIndex(record, asNamed, signal)) ?? choices);
    // More files would go where their owner alone may have some put.
    const isOutside = output !== null && !isInReach(output, reach);
    if (isOutside && !chosen.covers(selection)) throw outOfReach();
    const look = (entries: AsyncIterable<PackEntry>): Promise<Partial<TransferRecord>> =>
      survey(entries, selection);
    const counts = await files.withIndex(record, look, signal);
    // Meanwhile the download may have found out what the share calls that which was chosen before.
    if (isOther(catalogue.selection(id), before)) return chosenNow(record, choices, { signal, reach });
    return { selection, counts };
  }

  return { chooseFiles };
}

/** Whether something else is chosen. */
export function isOther(now: StoredSelection | undefined, before: StoredSelection | undefined): boolean {
  return JSON.stringify(now?.choices) !== JSON.stringify(before?.choices);
}

/** Raises E_SELECTION for what is not fetched and opened here, E_NO_KEY where the index cannot be read. */
function assertChoosable({ role, link, keys }: TransferRecord): void {
  if (role !== "get") {
    throw new BackroomError("E_SELECTION", "the files of this transfer are not chosen one by one");
  }
  keysOf(parseLink(link ?? ""), keys);
}

/** Raises E_SELECTION where what will have been opened once this is fetched, too, is more than is kept: now, rather than when all of it is there. */
export function assertKeepable(opened: Selection, selection: Selection): void {
  opened.or(selection).assertBounded();
}

/** The choices by the names that the share has for what was chosen. Raises E_NO_FILE for something that it does not hold. */
async function named(
  entries: AsyncIterable<PackEntry>,
  choices: readonly FileChoice[],
): Promise<FileChoice[]> {
  const paths = pathsOf(choices);
  if (paths.size === 0) return [...choices];
  const known = await knownPaths(entries, paths);
  const missing = [...paths].find((path) => !known.has(path));
  if (missing !== undefined)
    throw new BackroomError("E_NO_FILE", `the share holds neither a file nor a folder “${missing}”`);
  return choices.map(({ path, priority }) => ({ path: known.get(trimmedPath(path)) ?? "", priority }));
}

/** How many files `selection` skips, and how long those are that it does not. */
async function survey(
  entries: AsyncIterable<PackEntry>,
  selection: Selection,
): Promise<Pick<TransferRecord, "skippedCount" | "chosenSize">> {
  let skippedCount = 0;
  let chosenSize = 0;
  for await (const { path, kind, size } of entries) {
    if (kind !== "directory" && selection.priorityOf(path) === "skip") skippedCount++;
    else chosenSize += size;
  }
  return { skippedCount, chosenSize: skippedCount === 0 ? null : chosenSize };
}

/** All but that of everything. */
export function pathsOf(choices: readonly FileChoice[]): Set<string> {
  return new Set(choices.map(({ path }) => trimmedPath(path)).filter((path) => path !== ""));
}
