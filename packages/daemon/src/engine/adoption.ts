import { parseLink } from "@backroom/core/link/link.ts";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import { listShareRecords, type ShareRecord } from "@backroom/core/node/share-record.ts";
import type { Random } from "@backroom/core/base/random.ts";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { packPaths } from "@backroom/core/store/store-files.ts";
import { stat } from "node:fs/promises";
import type { TransferRecord } from "../catalogue/catalogue.ts";
import { newId } from "../new-id.ts";
import { newRecord } from "./new-record.ts";

/**
 * Shares that the catalogue does not know, though they were made here: by a command in the foreground, or by a daemon whose catalogue was lost since.
 * `isKnown` tells by the first 32 hex digits of a root. Those whose pack is gone are left where they are. Raises E_STORE.
 */
export async function findAdoptable(
  folder: DataFolder,
  isKnown: (name: string) => boolean,
  { random, nowMs }: { readonly random: Random; readonly nowMs: number },
): Promise<TransferRecord[]> {
  const found: TransferRecord[] = [];
  for (const record of await listShareRecords(folder, isKnown)) {
    const adopted = await adopt(folder, record, newId(random), nowMs);
    if (adopted !== undefined) found.push(adopted);
  }
  return found;
}

async function adopt(
  folder: DataFolder,
  { link: text, sharerSeed, fileCount }: ShareRecord,
  id: string,
  nowMs: number,
): Promise<TransferRecord | undefined> {
  const link = linkIn(text);
  if (link === undefined) return undefined;
  const pack = await stat(packPaths(folder.packs, link.piecesRoot).pack).catch(() => undefined);
  if (pack === undefined) return undefined;
  const createdMs = Math.min(nowMs, Math.floor(pack.mtimeMs));
  return {
    ...newRecord(id, createdMs),
    role: "share",
    state: "active",
    name: link.name ?? "",
    kind: link.kind,
    fileCount,
    size: link.filesBytes ?? null,
    packLength: link.packLength,
    doneBytes: link.packLength,
    finishedMs: createdMs,
    root: link.piecesRoot.toString("hex"),
    link: text,
    sharerSeed: sharerSeed.toString("hex"),
    seed: true,
  };
}

function linkIn(text: string): ReturnType<typeof parseLink> | undefined {
  try {
    return parseLink(text);
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return undefined;
  }
}
