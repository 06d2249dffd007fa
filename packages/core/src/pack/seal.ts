import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { throwIfAborted } from "../base/abort.ts";
import type { AgeLock } from "./age-header.ts";
import type { PackEntry } from "./entry.ts";
import { FrameWriter } from "./frame-writer.ts";
import { IndexWriter } from "./index-writer.ts";
import { diskFiles, type InputFiles } from "./input-files.ts";
import { checkOutputPath, OutputPathSet } from "./output-path.ts";
import { PackWriter, type PackOutput } from "./pack-writer.ts";
import { writeTar } from "./tar-writer.ts";
import { resolveRoots, walkInputs, type LeftOut } from "./walk.ts";

/** What a person says of a share to be sealed. */
export interface SealOptions {
  /** Files and folders; each becomes a top-level entry under its own name. */
  readonly paths: readonly string[];
  /** Who can open the pack: whoever holds the identity of one of the recipients, or knows the password. */
  readonly lock: AgeLock;
  /** Shown to whoever opens the pack; the first input's name where absent. At most 255 bytes. */
  readonly name?: string;
  /** At most 4096 bytes. */
  readonly comment?: string;
  /** zstd level, 1 to 19; 3 where absent. */
  readonly level?: number;
  /** False leaves modification times out. */
  readonly recordTimes?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SealProgress) => void;
}

export interface SealProgress {
  /** Counting while the input is walked, sealing from then on. */
  readonly phase: "walk" | "seal";
  readonly fileCount: number;
  /** Of files' contents: found so far, or in all. */
  readonly totalBytes: number;
  readonly doneBytes: number;
}

/** What sealing works with. */
export interface SealDeps extends PackOutput {
  readonly random: Random;
  /** The disk where absent. */
  readonly files?: InputFiles;
}

export interface SealResult {
  /** Length of the pack in bytes. */
  readonly length: number;
  readonly name: string;
  readonly fileCount: number;
  readonly directoryCount: number;
  readonly fileBytes: number;
  /** What a pack cannot hold, the first thousand of `leftOutCount`. */
  readonly leftOut: readonly LeftOut[];
  readonly leftOutCount: number;
}

/**
 * Seals files and folders into a pack (PROTOCOL 2), in one pass over their contents, without a temporary copy and in bounded memory.
 * Raises E_INPUT, E_INPUT_NAMES, E_FILE_CHANGED, E_RECIPIENT, E_INTERRUPTED, and whatever `deps.write` raises; what was written until then is no pack.
 */
export async function sealPack(options: SealOptions, deps: SealDeps): Promise<SealResult> {
  const files = deps.files ?? diskFiles;
  const roots = await resolveRoots(options.paths, files);
  const name = options.name ?? roots[0]?.name ?? "";
  if (
    Buffer.byteLength(name) > LIMITS.packNameBytes ||
    Buffer.byteLength(options.comment ?? "") > LIMITS.packCommentBytes
  ) {
    throw new BackroomError("E_INPUT_NAMES", "the share's name or comment is too long");
  }
  // Several files and folders arrive in one that is called like the share.
  if (roots.length > 1) checkFolderName(name);

  const leftOut: LeftOut[] = [];
  let leftOutCount = 0;
  const leaveOut = (item: LeftOut): void => {
    leftOutCount++;
    if (leftOut.length < LIMITS.packLeftOutListed) leftOut.push(item);
  };
  const names = new OutputPathSet(deps.random);
  const index = new IndexWriter(name, options.comment ?? "");
  const found = { fileCount: 0, totalBytes: 0 };
  const recordTimes = options.recordTimes ?? true;
  const add = (entry: Omit<PackEntry, "offset">): void => {
    checkName(names, entry.path);
    index.add(entry);
    found.totalBytes += entry.size;
    if (entry.kind !== "directory") found.fileCount++;
    if (found.fileCount % 256 === 0) options.onProgress?.({ phase: "walk", doneBytes: 0, ...found });
  };
  await walkInputs(roots, { files, recordTimes, signal: options.signal, found: add, leaveOut });
  const totals = index.finish();
  const { fileCount, directoryCount, fileBytes } = totals;

  let doneBytes = 0;
  const onBytes = (bytes: number): void => {
    doneBytes += bytes;
    options.onProgress?.({ phase: "seal", fileCount, totalBytes: fileBytes, doneBytes });
  };
  const writer = await PackWriter.start(options.lock, deps.random, deps);
  const frames = new FrameWriter(options.level ?? 3, (frame) =>
    writer.frame(frame.parts, frame.contentLength),
  );
  try {
    for (const frame of index.frames) await writer.frame([frame], 0);
    await writeTar(frames, index.entries(), { roots, files, signal: options.signal, onBytes });
    await frames.finish();
    throwIfAborted(options.signal);
    const length = await writer.finish();
    return { length, name, fileCount, directoryCount, fileBytes, leftOut, leftOutCount };
  } finally {
    await frames.settle();
    await writer.settle();
  }
}

function checkFolderName(name: string): void {
  try {
    if (checkOutputPath(name).length === 1) return;
  } catch (cause) {
    if (!isBackroomError(cause, "E_UNSAFE_PATH")) throw cause;
  }
  throw new BackroomError("E_INPUT_NAMES", "the share's name cannot be a folder's, which it is to become", {
    fix: "choose another with --name: without slashes, colons and the like",
  });
}

/** What whoever opens the pack would have to refuse is refused here, where it can still be mended. */
function checkName(names: OutputPathSet, path: string): void {
  try {
    names.add(path);
  } catch (cause) {
    if (!isBackroomError(cause, "E_UNSAFE_PATH")) throw cause;
    throw new BackroomError("E_INPUT_NAMES", `"${path}" cannot be shared: ${cause.message}`, { cause });
  }
}
