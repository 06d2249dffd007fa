import { openAgeBody, type AgeBody } from "./age-body.ts";
import { readSeekTable } from "./frame-reader.ts";
import type { Selection } from "./selection.ts";
import type { PackSource } from "./source.ts";
import { StagedTree } from "./staged-tree.ts";
import { setFolderTimes, unpackEntries } from "./unpack.ts";
import { unpackWanted } from "./unpack-wanted.ts";
import type { WantedFiles } from "./wanted-files.ts";

/** The long part of opening a pack whose header is open and whose index was found good. */
export interface UnpackJob {
  readonly source: PackSource;
  readonly body: AgeBody;
  /** Private and empty; whoever made it shows or removes it. */
  readonly folder: string;
  /** Of all that the pack holds. */
  readonly fileCount: number;
  /** Undefined: everything. */
  readonly wanted: WantedFiles | undefined;
  readonly signal: AbortSignal | undefined;
  /** More bytes of files' contents are handed to the disk. */
  readonly onBytes: (bytes: number) => void;
  /** Of the files' contents that are wanted: how much that is, and how much of it is unpacked by now; as often as something else is wanted. */
  readonly onSurvey: (totalBytes: number, doneBytes: number) => void;
}

export interface Unpacked {
  /** What was wanted last, and how much of it there is; undefined where everything was asked for. */
  readonly selection: Selection | undefined;
  readonly leafCount: number | undefined;
}

/**
 * Writes what is wanted of a pack into the job's folder. Implementations: here, and in a thread of its own (`unpack-thread.ts`); both run
 * `test/pack/unpack-suite.ts`. Obligations:
 * - Nothing is written outside of the folder, and when the promise is settled, no file in there is open and nobody writes any more.
 * - Raises E_INTERRUPTED once `signal` is aborted, E_CRYPTO, E_PACK, E_UNSAFE_PATH, E_DISK_FULL, E_FILE, and what `source` raises, as it raised it.
 * - Bytes that were told add up to what was written of what is wanted when it ends well; nothing is told after that.
 * - A change of what is wanted is heeded until shortly before the end; what it returns says what counted.
 */
export type Unpack = (job: UnpackJob) => Promise<Unpacked>;

/** In this thread, with turns for the event loop. An `Unpack`, to which it is all the same how many files there are. */
export async function unpackHere(job: Omit<UnpackJob, "fileCount">): Promise<Unpacked> {
  const { signal, wanted, onBytes, onSurvey } = job;
  const plain = await openAgeBody(job.source, job.body, signal);
  const table = await readSeekTable(plain);
  const work = { plain, table, tree: new StagedTree(job.folder), signal, onBytes };
  let unpacked: Unpacked = { selection: undefined, leafCount: undefined };
  if (wanted === undefined) await unpackEntries(work);
  else unpacked = await unpackWanted({ ...work, onSurvey }, wanted);
  await setFolderTimes(work);
  return unpacked;
}
