import path from "node:path";
import { decodeBencode, encodeBencode } from "../base/bencode.ts";
import { BackroomError } from "../base/errors.ts";
import { parseLink, type ShareLink } from "../link/link.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import type { DataFolder } from "./data-folder.ts";

const MOST_BYTES = 8192;

/** What the sharer keeps of a share, besides its pack, to go on with it: bencoded `{c: files, l: link, s: sharer's seed}`. */
export interface ShareRecord {
  readonly link: string;
  readonly sharerSeed: Buffer;
  readonly fileCount: number;
}

export async function writeShareRecord(folder: DataFolder, record: ShareRecord): Promise<void> {
  const { link, sharerSeed, fileCount } = record;
  const bytes = encodeBencode({ c: fileCount, l: Buffer.from(link), s: sharerSeed });
  await writeStateFile(recordFile(folder, parseLink(link)), bytes);
}

/** The record of a share that was made here, or undefined. Raises E_STORE for a damaged one. */
export async function readShareRecord(folder: DataFolder, link: ShareLink): Promise<ShareRecord | undefined> {
  const bytes = await readStateFile(recordFile(folder, link), MOST_BYTES);
  if (bytes === undefined) return undefined;
  const dict = decodeBencode(bytes);
  const [fileCount, text, sharerSeed] =
    dict instanceof Map ? ["c", "l", "s"].map((key) => dict.get(key)) : [];
  if (typeof fileCount !== "number" || !Buffer.isBuffer(text) || !Buffer.isBuffer(sharerSeed)) {
    throw new BackroomError("E_STORE", "what was kept of this share is damaged");
  }
  return { link: text.toString("latin1"), sharerSeed, fileCount };
}

function recordFile(folder: DataFolder, link: ShareLink): string {
  return path.join(folder.shares, link.piecesRoot.toString("hex", 0, 16));
}
