import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import { lockPack } from "@backroom/core/node/pack-lock.ts";
import { openPackStore } from "@backroom/core/store/open-pack.ts";
import type { PieceStore } from "@backroom/core/store/piece-store.ts";
import { removePack } from "@backroom/core/store/store-files.ts";
import { pieceBytes, torrentInfo, type TorrentInfo } from "@backroom/core/torrent/info.ts";

/** A pack that is open for as long as it is held. */
export interface HeldPack {
  readonly store: PieceStore;
  /** Fulfilled when nothing of it is open any more, where this was the last one that held it. */
  release(): Promise<void>;
}

interface OpenPack {
  readonly store: PieceStore;
  unlock(): Promise<void>;
}

interface Entry {
  readonly opening: Promise<OpenPack>;
  holders: number;
}

/** The packs of this data folder that are open: each once, locked against other processes, closed when nobody holds it any more. */
export class Packs {
  readonly #folder: DataFolder;
  readonly #entries = new Map<string, Entry>();
  /** Closings under way, by root: whoever opens the same pack waits. Never rejects. */
  readonly #closing = new Map<string, Promise<void>>();

  constructor(folder: DataFolder) {
    this.#folder = folder;
  }

  /** Opens it, or makes an empty one. Raises E_LOCKED where a process in the foreground works on it, E_STORE, E_DISK_FULL. */
  async hold(root: string, length: number): Promise<HeldPack> {
    const info = infoOf(root, length);
    await this.#closing.get(root);
    const entry = this.#entries.get(root) ?? { opening: this.#openPack(info), holders: 0 };
    this.#entries.set(root, entry);
    entry.holders++;
    let isHeld = true;
    const release = async (): Promise<void> => {
      if (!isHeld) return;
      isHeld = false;
      entry.holders--;
      if (entry.holders === 0) await this.#close(root, entry);
    };
    try {
      return { store: (await entry.opening).store, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** The store, where it is open just now. */
  async current(root: string): Promise<PieceStore | undefined> {
    const pack = await this.#entries.get(root)?.opening.catch(() => undefined);
    return pack?.store;
  }

  /** Deletes it, whoever holds it. Raises E_STORE. */
  async remove(root: string, length: number): Promise<void> {
    const entry = this.#entries.get(root);
    if (entry !== undefined) await this.#close(root, entry);
    await this.#closing.get(root);
    await removePack(this.#folder.packs, infoOf(root, length));
  }

  /** Deletes all of it but these pieces, whoever holds it. A kill in the middle leaves less. Raises E_STORE, E_DISK_FULL. */
  async keepOnly(root: string, length: number, pieces: readonly number[]): Promise<void> {
    if (pieces.length === 0) return this.remove(root, length);
    const info = infoOf(root, length);
    const pack = await this.hold(root, length);
    const kept = new Map<number, Buffer>();
    const layer = pack.store.pieceLayer();
    try {
      for (const piece of pieces) {
        if (!pack.store.have(piece)) continue;
        kept.set(piece, await pack.store.read(piece * info.pieceLength, pieceBytes(info, piece)));
      }
    } catch (error) {
      // Of a list that is damaged no part is of use.
      if (!isBackroomError(error, "E_HASH")) throw error;
      kept.clear();
    } finally {
      await pack.release();
    }
    await this.remove(root, length);
    if (layer === undefined || kept.size === 0) return;
    const { store, ...fresh } = await this.hold(root, length);
    try {
      await store.setPieceLayer(layer);
      for (const [piece, bytes] of kept) await store.write(piece, bytes);
    } finally {
      await fresh.release();
    }
  }

  async #openPack(info: TorrentInfo): Promise<OpenPack> {
    const lock = await lockPack(this.#folder, info.root);
    try {
      const store = await openPackStore(this.#folder.packs, info);
      return { store, unlock: () => lock.release() };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async #close(root: string, entry: Entry): Promise<void> {
    if (this.#entries.get(root) !== entry) return;
    this.#entries.delete(root);
    const closing = closed(entry.opening);
    const settled = closing.then(
      () => {},
      () => {},
    );
    this.#closing.set(root, settled);
    await settled;
    if (this.#closing.get(root) === settled) this.#closing.delete(root);
    await closing;
  }
}

async function closed(opening: Promise<OpenPack>): Promise<void> {
  const pack = await opening.catch(() => undefined);
  if (pack === undefined) return;
  try {
    await pack.store.close();
  } finally {
    await pack.unlock();
  }
}

export function infoOf(root: string, length: number): TorrentInfo {
  const bytes = Buffer.from(root, "hex");
  if (bytes.length !== 32) throw new BackroomError("E_INTERNAL", "a pack's root has another length");
  return torrentInfo(bytes, length);
}
