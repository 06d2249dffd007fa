import type { FileHandle } from "node:fs/promises";
import { BackroomError } from "../base/errors.ts";
import type { Bitfield } from "../torrent/bitfield.ts";
import { pieceBytes, type TorrentInfo } from "../torrent/info.ts";
import { checkPieceLayer, leafHashes, verifyLeaves } from "../torrent/merkle.ts";
import type { PieceStore } from "./piece-store.ts";
import { ReadCache } from "./read-cache.ts";
import { checkWrite, spansOf } from "./spans.ts";
import { storeError, withStoreErrors } from "./store-error.ts";
import { BITMAP_OFFSET, encodeState, readAll, writeAll, type PackState } from "./store-files.ts";

/** One read of the file for sixteen blocks; eight such windows, so that eight peers may read at different places. */
const WINDOW_BYTES = 256 * 1024;
const WINDOWS = 8;
/** A piece is read and hashed in parts of this size, so that a piece of 128 MiB neither fills memory nor holds up the process. */
const VERIFY_BYTES = 1024 * 1024;

/** Both open for reading and writing; the store closes them. */
interface StoreHandles {
  readonly pack: FileHandle;
  readonly state: FileHandle;
}

interface KnownPack extends PackState {
  /** Pieces that need not be hashed, since this process did. Marks of those that are not there count for nothing. */
  readonly verified: Bitfield;
}

/**
 * Made by `openPackStore`, which also says what is believed of earlier runs. The mark of a piece is handed to the system after the
 * piece was, so a kill leaves no mark without its piece; the disk itself is waited for only in `close`.
 */
export class FileStore implements PieceStore {
  readonly info: TorrentInfo;
  readonly #files: StoreHandles;
  readonly #have: Bitfield;
  /** Pieces that this process has hashed or written; the others are hashed before their first byte is handed out. */
  readonly #verified: Bitfield;
  readonly #verifying = new Map<number, Promise<void>>();
  readonly #cache: ReadCache;
  /** What `close` waits for. */
  readonly #running = new Set<Promise<unknown>>();
  #layer: Buffer | undefined;
  #closed = false;
  /** The write of the bitmap that has not begun yet, which will carry every mark made until it begins. */
  #nextBitmap: Promise<void> | undefined;
  #lastBitmap: Promise<void> = Promise.resolve();

  constructor(info: TorrentInfo, files: StoreHandles, known: KnownPack) {
    this.info = info;
    this.#files = files;
    this.#have = known.have;
    this.#layer = known.pieceLayer;
    this.#verified = known.verified;
    const windowBytes = Math.min(info.pieceLength, WINDOW_BYTES);
    this.#cache = new ReadCache(windowBytes, WINDOWS, (offset) =>
      this.#readFile(offset, Math.min(windowBytes, info.length - offset)),
    );
  }

  get complete(): boolean {
    return this.#have.complete;
  }

  have(piece: number): boolean {
    return this.#have.has(piece);
  }

  haveCount(): number {
    return this.#have.count;
  }

  pieceLayer(): Buffer | undefined {
    return this.#layer;
  }

  read(offset: number, length: number, into?: Buffer): Promise<Buffer> {
    return this.#run(() => this.#read(offset, length, into));
  }

  write(piece: number, bytes: Buffer): Promise<void> {
    return this.#run(() => this.#write(piece, bytes));
  }

  setPieceLayer(layer: Buffer): Promise<void> {
    return this.#run(() => this.#setPieceLayer(layer));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#running);
    const { pack, state } = this.#files;
    try {
      await withStoreErrors("a pack could not be closed", async () => {
        await pack.datasync();
        await state.datasync();
      });
    } finally {
      await Promise.allSettled([pack.close(), state.close()]);
    }
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new BackroomError("E_INTERNAL", "the store is closed");
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #read(offset: number, length: number, into?: Buffer): Promise<Buffer> {
    for (const { piece } of spansOf(this.info, offset, length)) {
      if (!this.#have.has(piece)) throw new BackroomError("E_INTERNAL", "a piece was read that is not there");
      if (!this.#verified.has(piece)) await this.#verify(piece);
    }
    const { windowBytes } = this.#cache;
    const begin = offset % windowBytes;
    // A read at the start of a window announces more of it; one in the middle that is not held is a jump, and so are long ones: for
    // those a whole window would cost sixteen times what is asked for. All of a window leaves nothing to hold it for.
    const isPart = begin + length <= windowBytes && length < windowBytes;
    const inWindow = isPart && (begin === 0 || this.#cache.holds(offset));
    if (!inWindow) return this.#readFile(offset, length, into);
    return (await this.#cache.window(offset)).subarray(begin, begin + length);
  }

  async #write(piece: number, bytes: Buffer): Promise<void> {
    checkWrite(this, piece, bytes);
    if (this.#have.has(piece)) return;
    const offset = piece * this.info.pieceLength;
    await withStoreErrors("a piece could not be written", () => writeAll(this.#files.pack, bytes, offset));
    this.#cache.drop(offset, bytes.length);
    this.#have.set(piece);
    this.#verified.set(piece);
    // The mark is handed to the system after the piece was: a kill in between loses the mark and nothing else.
    await this.#writeBitmap();
  }

  async #setPieceLayer(layer: Buffer): Promise<void> {
    checkPieceLayer(this.info, layer);
    if (this.#layer !== undefined) return;
    const pieceLayer = Buffer.from(layer);
    const have = this.#have;
    const content = encodeState(this.info, { have, pieceLayer });
    // In the open file: replacing it would leave the handle on the old one. A torn layer fails its check and begins anew.
    await withStoreErrors("a piece layer could not be kept", () => writeAll(this.#files.state, content, 0));
    this.#layer = pieceLayer;
  }

  /** Hashes a piece that an earlier run marked. Raises E_HASH, and takes the mark away, where it is not what the layer says. */
  #verify(piece: number): Promise<void> {
    const running = this.#verifying.get(piece);
    if (running !== undefined) return running;
    const run = this.#verifyOnce(piece).finally(() => this.#verifying.delete(piece));
    this.#verifying.set(piece, run);
    return run;
  }

  async #verifyOnce(piece: number): Promise<void> {
    const start = piece * this.info.pieceLength;
    const total = pieceBytes(this.info, piece);
    const leaves: Buffer[] = [];
    for (let at = 0; at < total; at += VERIFY_BYTES) {
      leaves.push(leafHashes(await this.#readFile(start + at, Math.min(VERIFY_BYTES, total - at))));
    }
    const layer = this.#layer;
    if (layer !== undefined && verifyLeaves(this.info, layer, piece, Buffer.concat(leaves))) {
      this.#verified.set(piece);
      return;
    }
    this.#have.clear(piece);
    await this.#writeBitmap();
    throw new BackroomError("E_HASH", "a stored piece is damaged", {
      fix: "it is fetched again from others",
    });
  }

  async #readFile(offset: number, length: number, into?: Buffer): Promise<Buffer> {
    try {
      const bytes = await readAll(this.#files.pack, offset, length, into);
      if (bytes !== undefined) return bytes;
    } catch (error) {
      throw storeError(error, "a pack could not be read");
    }
    throw new BackroomError("E_STORE", "a pack's file became shorter while it was in use");
  }

  /** Fulfilled once all marks made until now are with the system. Writes wait for each other, and one carries many marks. */
  #writeBitmap(): Promise<void> {
    this.#nextBitmap ??= this.#lastBitmap.then(() => {
      this.#nextBitmap = undefined;
      const write = withStoreErrors("a mark could not be kept", () =>
        writeAll(this.#files.state, this.#have.encode(), BITMAP_OFFSET),
      );
      this.#lastBitmap = write.catch(() => {});
      return write;
    });
    return this.#nextBitmap;
  }
}
