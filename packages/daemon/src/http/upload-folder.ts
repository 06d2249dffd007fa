import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import type { Random } from "@backroom/core/base/random.ts";
import { OutputPathSet } from "@backroom/core/pack/output-path.ts";
import { withStoreErrors } from "@backroom/core/store/store-error.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";

const FOLDER = -1;

/** One upload: files on their way into a private folder, `<data>/uploads/<id>/`, `tree` below it as it will be shared. */
export interface Upload {
  readonly folder: string;
  readonly paths: OutputPathSet;
  /** Every file and folder in `paths`: FOLDER, or how many bytes of a file are there. */
  readonly known: Map<string, number>;
  readonly busy: Set<string>;
  /** Of all files together. */
  bytes: number;
  touchedMs: number;
  /** The transfer that is sealed from it; the folder stays until that is done. */
  transferId: string | null;
  isClosed: boolean;
}

/** An upload of which nothing is there yet. */
export function uploadIn(folder: string, random: Random, nowMs: number): Upload {
  return {
    folder,
    paths: new OutputPathSet(random),
    known: new Map(),
    busy: new Set(),
    bytes: 0,
    touchedMs: nowMs,
    transferId: null,
    isClosed: false,
  };
}

interface TakeUpDeps {
  readonly catalogue: Pick<Catalogue, "list">;
  readonly random: Random;
  readonly nowMs: number;
}

/**
 * Puts the folders of an earlier run that something is still to be sealed from into `uploads`, for that is begun again, and removes all others below `root`.
 * Raises E_STORE.
 */
export async function takeUp(root: string, deps: TakeUpDeps, uploads: Map<string, Upload>): Promise<void> {
  const found = await withStoreErrors("the folder for uploads cannot be read", () => readdir(root));
  if (found.length === 0) return;
  const waiting = new Map<string, string>();
  let after: string | undefined;
  do {
    const page = deps.catalogue.list({ role: "share", after, limit: 1000 });
    for (const { id, link, inputs } of page.transfers) {
      if (link === null)
        for (const input of inputs) waiting.set(path.relative(root, input).split(path.sep)[0] ?? "", id);
    }
    after = page.next ?? undefined;
  } while (after !== undefined);
  for (const name of found) {
    const folder = path.join(root, name);
    const transferId = waiting.get(name);
    if (transferId === undefined) {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      continue;
    }
    uploads.set(name, {
      ...uploadIn(folder, deps.random, deps.nowMs),
      transferId,
      isClosed: true,
    });
  }
}

/**
 * Adds a file's path and its folders, each once; a file may be sent again. Raises E_UNSAFE_PATH for one that could not be a file on every system beside
 * those that are there, E_TOO_LARGE for one too many.
 */
export function addPath(upload: Upload, name: string): void {
  const components = name.split("/");
  for (let depth = 1; depth <= components.length; depth++) {
    const one = components.slice(0, depth).join("/");
    const kind = depth === components.length ? 0 : FOLDER;
    const known = upload.known.get(one);
    if (known === undefined) {
      if (upload.known.size >= LIMITS.uploadFiles) {
        throw new BackroomError("E_TOO_LARGE", "the upload has too many files");
      }
      upload.paths.add(one);
      upload.known.set(one, kind);
    } else if ((known === FOLDER) !== (kind === FOLDER)) {
      throw new BackroomError("E_UNSAFE_PATH", "a name is that of a file and of a folder at once");
    }
  }
}
