import { mkdir, rename, type FileHandle } from "node:fs/promises";
import { BackroomError } from "../base/errors.ts";
import { Bitfield } from "../torrent/bitfield.ts";
import { pieceBytes, torrentInfo, type TorrentInfo } from "../torrent/info.ts";
import type { MerkleDigest } from "../torrent/merkle-hasher.ts";
import { FileStore } from "./file-store.ts";
import type { PieceStore } from "./piece-store.ts";
import { withStoreErrors } from "./store-error.ts";
import { syncFolder, writeStateFile } from "./state-file.ts";
import { encodeState, openForBoth, packPaths, readState } from "./store-files.ts";

/** What opening files goes through; tests pass one whose disk is full. */
export interface FileStoreDeps {
  readonly openFile: (file: string) => Promise<FileHandle>;
}

const DISK: FileStoreDeps = { openFile: openForBoth };

/**
 * A pack in `folder` (the data folder's `packs`), found again or begun. Raises E_DISK_FULL or E_STORE. The caller holds the lock of
 * the data folder (store/lock.ts) and opens a pack once.
 *
 * What the bitmap says is not believed across runs: the first read of a piece hashes it whole and compares with the piece layer, which was
 * itself checked against the root. So opening costs nothing however long the pack is, a kill or power cut at any moment is
 * found out where it did harm, and bytes that rotted on the disk since an earlier run are never sent or opened.
 */
export async function openPackStore(
  folder: string,
  info: TorrentInfo,
  deps: FileStoreDeps = DISK,
): Promise<PieceStore> {
  return await openFiles(folder, info, deps, new Bitfield(info.pieceCount));
}

/** `verified`: pieces that this very process has hashed. */
async function openFiles(
  folder: string,
  info: TorrentInfo,
  deps: FileStoreDeps,
  verified: Bitfield,
): Promise<PieceStore> {
  return withStoreErrors("a pack could not be opened", async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const paths = packPaths(folder, info.root);
    const known = await readState(info, paths.state);
    const have = known?.have ?? new Bitfield(info.pieceCount);
    const pieceLayer = known?.pieceLayer ?? (info.pieceCount === 1 ? info.root : undefined);
    const pack = await deps.openFile(paths.pack);
    let state: FileHandle | undefined;
    try {
      const { size } = await pack.stat();
      const shorter = dropMarksBeyond(info, have, size);
      // Before the file gets its full length: after that nothing would tell that these bytes were never there.
      if (known === undefined || shorter)
        await writeStateFile(paths.state, encodeState(info, { have, pieceLayer }));
      // Its full length from the start, as a sparse file: pieces come in any order.
      if (size !== info.length) await pack.truncate(info.length);
      state = await deps.openFile(paths.state);
      return new FileStore(info, { pack, state }, { have, pieceLayer, verified });
    } catch (error) {
      await state?.close();
      await pack.close();
      throw error;
    }
  });
}

/** Takes away the marks of pieces that a file of `size` bytes cannot hold; true when there was one. */
function dropMarksBeyond(info: TorrentInfo, have: Bitfield, size: number): boolean {
  const before = have.count;
  for (let piece = info.pieceCount - 1; piece >= 0; piece--) {
    if (piece * info.pieceLength + pieceBytes(info, piece) <= size) break;
    have.clear(piece);
  }
  return have.count !== before;
}

/**
 * Makes a complete store of a pack that was just sealed into `sealedFile`, a file in `folder`, which is renamed. `digest` is of
 * exactly the bytes that were written there, computed by this process as it wrote them, so that no piece is hashed again before a later run.
 * Raises E_DISK_FULL or E_STORE; E_INTERNAL when the file's length is another.
 */
export async function adoptSealedPack(
  folder: string,
  sealedFile: string,
  digest: MerkleDigest,
): Promise<PieceStore> {
  const info = torrentInfo(digest.root, digest.length);
  const paths = packPaths(folder, info.root);
  await withStoreErrors("a sealed pack could not be kept", async () => {
    const sealed = await openForBoth(sealedFile);
    try {
      const { size } = await sealed.stat();
      if (size !== info.length) throw new BackroomError("E_INTERNAL", "a sealed pack has another length");
      await sealed.datasync();
    } finally {
      await sealed.close();
    }
    await rename(sealedFile, paths.pack);
    await syncFolder(folder);
    // Marks come last: a kill before leaves bytes that nobody claims.
    const have = Bitfield.full(info.pieceCount);
    await writeStateFile(paths.state, encodeState(info, { have, pieceLayer: digest.pieceLayer }));
  });
  return await openFiles(folder, info, DISK, Bitfield.full(info.pieceCount));
}
