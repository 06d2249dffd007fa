import { open, rm, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { Bitfield } from "../torrent/bitfield.ts";
import type { TorrentInfo } from "../torrent/info.ts";
import { checkPieceLayer, HASH_BYTES } from "../torrent/merkle.ts";
import { isBackroomError } from "../base/errors.ts";
import { asBuffer, u48be } from "../base/bytes.ts";
import { readStateFile } from "./state-file.ts";
import { withStoreErrors } from "./store-error.ts";

/**
 * The files of one pack: `<first 32 hex digits of the root>.pack` holds its bytes at their places, `.state` what is known of them:
 *
 * ```
 * "backroom state 1" ‖ 32 root ‖ u48 pack length ‖ u8 piece layer known ‖ 9 zeros        64 bytes
 * bitmap, a bit a piece, as on the wire                                                   ceil(pieces / 8)
 * piece layer, or zeros while it is not known                                             32 · pieces
 * ```
 */
const MAGIC = Buffer.from("backroom state 1", "latin1");
export const BITMAP_OFFSET = 64;

export interface PackPaths {
  readonly pack: string;
  readonly state: string;
}

/** `folder` is the data folder's `packs`. */
export function packPaths(folder: string, root: Buffer): PackPaths {
  const stem = path.join(folder, root.toString("hex", 0, 16));
  return { pack: `${stem}.pack`, state: `${stem}.state` };
}

/** Deletes a pack and what is known of it; the store must be closed. Nothing happens where there is none. Raises E_STORE. */
export async function removePack(folder: string, info: TorrentInfo): Promise<void> {
  const { pack, state } = packPaths(folder, info.root);
  await withStoreErrors("a pack could not be deleted", async () => {
    // The marks go first: a state without its pack would have to be found out, a pack without marks is only forgotten bytes.
    await rm(state, { force: true });
    await rm(pack, { force: true });
  });
}

export interface PackState {
  readonly have: Bitfield;
  readonly pieceLayer: Buffer | undefined;
}

export function encodeState(info: TorrentInfo, state: PackState): Buffer {
  const layer = state.pieceLayer ?? Buffer.alloc(info.pieceCount * HASH_BYTES);
  return Buffer.concat([encodeHead(info, state.pieceLayer !== undefined), state.have.encode(), layer]);
}

function encodeHead(info: TorrentInfo, layerKnown: boolean): Buffer {
  const known = Buffer.concat([MAGIC, info.root, u48be(info.length), Buffer.from([layerKnown ? 1 : 0])]);
  return Buffer.concat([known], BITMAP_OFFSET);
}

/**
 * The state file's content; undefined when there is none, and for one that is damaged or of another pack: all that is lost then is what
 * must be fetched again. Marks without a piece layer do not count, since nobody could verify what they say.
 */
export async function readState(info: TorrentInfo, file: string): Promise<PackState | undefined> {
  const bitmapBytes = Math.ceil(info.pieceCount / 8);
  const layerOffset = BITMAP_OFFSET + bitmapBytes;
  const size = layerOffset + info.pieceCount * HASH_BYTES;
  const bytes = await readStateFile(file, size);
  if (bytes?.length !== size) return undefined;
  if (!bytes.subarray(0, BITMAP_OFFSET).equals(encodeHead(info, true))) return undefined;
  try {
    const pieceLayer = Buffer.from(bytes.subarray(layerOffset));
    checkPieceLayer(info, pieceLayer);
    return { have: Bitfield.decode(bytes.subarray(BITMAP_OFFSET, layerOffset), info.pieceCount), pieceLayer };
  } catch (error) {
    if (isBackroomError(error)) return undefined;
    throw error;
  }
}

/** Opens for reading and writing; made where it is missing, readable by its owner alone. */
export function openForBoth(file: string): Promise<FileHandle> {
  // "a+" and "r+" each do half: the one ignores offsets, the other makes no file.
  return open(file, "r+").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return open(file, "wx+", 0o600);
  });
}

/** Writes all of `bytes` at `offset`: the system may take fewer at a time. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  const buffer = asBuffer(bytes);
  for (let done = 0; done < buffer.length;) {
    const { bytesWritten } = await handle.write(buffer, done, buffer.length - done, offset + done);
    done += bytesWritten;
  }
}

/** Reads exactly `length` bytes, into `buffer` where that is given; undefined where the file ends before. */
export async function readAll(
  handle: FileHandle,
  offset: number,
  length: number,
  buffer: Buffer = Buffer.allocUnsafe(length),
): Promise<Buffer | undefined> {
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) return undefined;
    done += bytesRead;
  }
  return buffer;
}
