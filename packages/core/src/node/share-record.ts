import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { decodeBencode, encodeBencode } from "../base/bencode.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { parseLink, type ShareLink } from "../link/link.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import { withStoreErrors } from "../store/store-error.ts";
import type { DataFolder } from "./data-folder.ts";

const MOST_BYTES = 8192;

/** What the sharer keeps of a share, besides its pack, to go on with it: bencoded `{c: files, l: link, s: sharer's seed}`. */
export interface ShareRecord {
  readonly link: string;
  readonly sharerSeed: Buffer;
  readonly fileCount: number;
}

/** Replaces an older one of the same share. Raises E_DISK_FULL, E_STORE. */
export async function writeShareRecord(folder: DataFolder, record: ShareRecord): Promise<void> {
  const { link, sharerSeed, fileCount } = record;
  const bytes = encodeBencode({ c: fileCount, l: Buffer.from(link), s: sharerSeed });
  await writeStateFile(recordFile(folder, parseLink(link)), bytes);
}

/** The record of a share that was made here, or undefined. Raises E_STORE or E_BENCODE for a damaged one. */
export async function readShareRecord(folder: DataFolder, link: ShareLink): Promise<ShareRecord | undefined> {
  const bytes = await readStateFile(recordFile(folder, link), MOST_BYTES);
  return bytes === undefined ? undefined : decodeShareRecord(bytes);
}

function decodeShareRecord(bytes: Buffer): ShareRecord {
  const dict = decodeBencode(bytes);
  const [fileCount, text, sharerSeed] =
    dict instanceof Map ? ["c", "l", "s"].map((key) => dict.get(key)) : [];
  if (typeof fileCount !== "number" || !Buffer.isBuffer(text) || !Buffer.isBuffer(sharerSeed)) {
    throw new BackroomError("E_STORE", "what was kept of this share is damaged");
  }
  return { link: text.toString("latin1"), sharerSeed, fileCount };
}

/** Nothing happens where there is none. Raises E_STORE. */
export async function removeShareRecord(folder: DataFolder, root: Buffer): Promise<void> {
  const file = path.join(folder.shares, nameOf(root));
  await withStoreErrors("what was kept of a share could not be forgotten", () => rm(file, { force: true }));
}

/**
 * All records in the data folder whose file has none of these names (the first 32 hex digits of a root), which are not read again. One that is
 * damaged is left out.
 */
export async function listShareRecords(
  folder: DataFolder,
  isKnown: (name: string) => boolean,
): Promise<ShareRecord[]> {
  const names = (await readdir(folder.shares)).filter(
    (name) => /^[0-9a-f]{32}$/.test(name) && !isKnown(name),
  );
  const records: ShareRecord[] = [];
  for (const name of names) {
    const bytes = await readStateFile(path.join(folder.shares, name), MOST_BYTES);
    try {
      if (bytes !== undefined) records.push(decodeShareRecord(bytes));
    } catch (error) {
      if (!isBackroomError(error)) throw error;
    }
  }
  return records;
}

function recordFile(folder: DataFolder, link: ShareLink): string {
  return path.join(folder.shares, nameOf(link.piecesRoot));
}

function nameOf(root: Buffer): string {
  return root.toString("hex", 0, 16);
}
