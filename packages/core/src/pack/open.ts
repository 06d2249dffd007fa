import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { BackroomError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { AgeKeys } from "./age-header.ts";
import { openAgeSource } from "./age-source.ts";
import type { PackEntry } from "./entry.ts";
import { readSeekTable, tarLengthOf } from "./frame-reader.ts";
import { entriesOf, readIndex, readShareRecord } from "./index-reader.ts";
import type { ShareRecord, TotalsRecord } from "./index-chunk.ts";
import { OutputPathSet, checkOutputPath } from "./output-path.ts";
import { missing } from "./move-new.ts";
import type { Placing } from "./placing.ts";
import type { Selection } from "./selection.ts";
import type { PackSource } from "./source.ts";
import { Staging } from "./staging.ts";
import { unpackHere, type Unpack } from "./unpacker.ts";
import type { WantedFiles } from "./wanted-files.ts";

export interface OpenOptions {
  readonly keys: AgeKeys;
  /**
   * `into`: a folder that exists; the result appears in it under the share's only top-level name, or, where there are several, in a new
   * folder of the share's name. `target`: exactly where the result appears. Either way nothing may be there yet.
   */
  readonly place: { readonly into: string } | { readonly target: string };
  /** Pieces root of the pack, from which what killed runs left is known. */
  readonly root: Uint8Array;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: OpenProgress) => void;
  /**
   * Called when all is written, right before it appears: whoever keeps that knows after a kill whether what is there came from here. Not called where it
   * is put beside something. With what was opened, where `wanted` says that.
   */
  readonly onPlacing?: ((placing: Placing, selection: Selection | undefined) => void) | undefined;
  /** Absent: everything. */
  readonly wanted?: WantedFiles | undefined;
}

export interface OpenProgress {
  /** Of files' contents. */
  readonly totalBytes: number;
  readonly doneBytes: number;
}

export interface OpenDeps {
  /** May still be downloading: reads wait. */
  readonly source: PackSource;
  readonly random: Random;
  /** Absent: in this thread. */
  readonly unpack?: Unpack | undefined;
}

export interface OpenResult {
  /** What was created, or what something was put beside; undefined where nothing was wanted. */
  readonly path: string | undefined;
  /** What was opened by now; undefined where everything was asked for. */
  readonly selection: Selection | undefined;
  readonly name: string;
  readonly comment: string;
  readonly fileCount: number;
  readonly directoryCount: number;
  readonly fileBytes: number;
}

/**
 * Opens a pack: checks the whole index first, then writes the files it lists into a private folder beside the target, and shows them at
 * once when all is there. Only the index, authenticated by age, says what is written and where; tar headers are not looked at. Where some files are
 * wanted, all of the index is checked as for all of them, and of the rest nothing is read.
 * Raises E_NO_KEY, E_AGE_HEADER, E_CRYPTO, E_PACK, E_UNSAFE_PATH, E_TARGET_EXISTS, E_DISK_FULL, E_FILE, E_INTERRUPTED, and what
 * `deps.source` raises; then nothing is left behind.
 */
export async function openPack(options: OpenOptions, deps: OpenDeps): Promise<OpenResult> {
  const plain = await openAgeSource(deps.source, options.keys);
  const table = await readSeekTable(plain);
  const { share, totals, onlyEntry } = await surveyIndex(plain, deps.random);
  if (totals.tarLength !== tarLengthOf(table))
    throw new BackroomError("E_PACK", "the index and the frames disagree");

  const target =
    "target" in options.place
      ? options.place.target
      : join(options.place.into, topName(onlyEntry ?? share.name));
  const { wanted, signal } = options;
  const mayExist = wanted?.opened !== undefined;
  const staging = await Staging.open({ target, root: options.root, mayExist }, deps.random);
  const { fileCount, directoryCount, fileBytes } = totals;
  const { name, comment } = share;
  let doneBytes = 0;
  let totalBytes = fileBytes;
  const tell = (): void => options.onProgress?.({ totalBytes, doneBytes });
  const onBytes = (bytes: number): void => {
    doneBytes += bytes;
    tell();
  };
  const onSurvey = (total: number, done: number): void => {
    totalBytes = total;
    doneBytes = done;
    tell();
  };
  const counts = { name, comment, fileCount, directoryCount, fileBytes };
  try {
    const { selection, leafCount } = await (deps.unpack ?? unpackHere)({
      source: deps.source,
      body: plain.body,
      folder: staging.tree.folder,
      fileCount,
      wanted,
      signal,
      onBytes,
      onSurvey,
    });
    if (leafCount === 0 && fileCount + directoryCount > 0) return { path: undefined, selection, ...counts };
    const isBeside = mayExist && (await lstat(target).catch(missing)) !== undefined;
    if (isBeside) await staging.commitBeside(onlyEntry);
    else {
      await staging.commit(onlyEntry, (fileId) =>
        options.onPlacing?.({ path: target, fileId, name, fileCount, fileBytes }, selection),
      );
    }
    return { path: target, selection, ...counts };
  } finally {
    await staging.discard();
  }
}

export interface PackListing {
  readonly name: string;
  readonly comment: string;
  /** Every file and directory in the pack's order; may be called again. Raises E_PACK and what the source raises. */
  entries(): AsyncGenerator<PackEntry>;
}

/** What is in a pack, from its front alone. Raises E_NO_KEY, E_AGE_HEADER, E_CRYPTO, E_PACK, and what `source` raises. */
export async function listPack(source: PackSource, keys: AgeKeys): Promise<PackListing> {
  const plain = await openAgeSource(source, keys);
  const { name, comment } = await readShareRecord(plain);
  return {
    name,
    comment,
    entries: () => entriesOf(plain),
  };
}

interface Survey {
  readonly share: ShareRecord;
  readonly totals: TotalsRecord;
  /** The top-level entry, if there is only one. */
  readonly onlyEntry: string | undefined;
}

/** Reads all of the index, so that nothing is written where a path far down is unsafe. */
async function surveyIndex(plain: PackSource, random: Random): Promise<Survey> {
  const paths = new OutputPathSet(random);
  const topNames: string[] = [];
  let share: ShareRecord | undefined;
  let totals: TotalsRecord | undefined;
  for await (const record of readIndex(plain)) {
    if (record.type === "share") share = record;
    else if (record.type === "totals") totals = record;
    else {
      const components = paths.add(record.entry.path);
      if (components.length === 1 && topNames.length < 2) topNames.push(components[0] as string);
    }
  }
  if (share === undefined || totals === undefined)
    throw new BackroomError("E_PACK", "the index is incomplete");
  return { share, totals, onlyEntry: topNames.length === 1 ? topNames[0] : undefined };
}

/** Raises E_UNSAFE_PATH for a share's name that cannot be a folder's. */
function topName(name: string): string {
  if (name.includes("/")) throw new BackroomError("E_UNSAFE_PATH", "the share's name cannot be a folder's");
  checkOutputPath(name);
  return name;
}
