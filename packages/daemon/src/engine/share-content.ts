import { open, type FileHandle } from "node:fs/promises";
import { constants } from "node:fs";
import path from "node:path";
import type { Answer, Input } from "@backroom/api/routes.ts";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import { parseLink } from "@backroom/core/link/link.ts";
import { keysOf } from "@backroom/core/node/pack-files.ts";
import { throwIfAborted } from "@backroom/core/base/abort.ts";
import type { PackEntry } from "@backroom/core/pack/entry.ts";
import { checkOutputPath } from "@backroom/core/pack/output-path.ts";
import { PackReader, type PackSpan } from "@backroom/core/pack/pack-reader.ts";
import type { PackSource } from "@backroom/core/pack/source.ts";
import { wasOpened } from "@backroom/core/pack/wanted-files.ts";
import type { PieceStore } from "@backroom/core/store/piece-store.ts";
import { packPaths, readState } from "@backroom/core/store/store-files.ts";
import type { TransferRecord } from "../catalogue/catalogue.ts";
import type { ContentFile, ShareContent } from "./content.ts";
import { chosenIn } from "./chosen-files.ts";
import { infoOf } from "./packs.ts";
import { SharedWork } from "./shared-work.ts";
import { hasSpan, notHeldHere, storedSource } from "./stored-source.ts";
import type { Transfers } from "./transfers.ts";

/** A file on the disk is read in parts of this size. */
const READ_BYTES = 256 * 1024;

const READERS = 16;

/** The files of shares: what there is, and their bytes. */
export class ShareFiles implements ShareContent {
  readonly #transfers: Transfers;
  /** Readers of shares that were looked into last: what opens a pack with a password takes a second. */
  readonly #readers = new Map<string, SharedWork<PackReader>>();

  constructor(transfers: Transfers) {
    this.#transfers = transfers;
  }

  async open(transferId: string, filePath: string, signal: AbortSignal): Promise<ContentFile> {
    const record = this.#transfers.record(transferId);
    if (isOpenedOnly(record)) return openedFile(record, filePath, signal);
    const pack = await this.#openPack(record, signal).catch((error: unknown) => {
      // The password is not kept for longer than it takes to open it; what it opened is here.
      if (isBackroomError(error, "E_NO_KEY") && record.paths.length > 0) return undefined;
      throw error;
    });
    if (pack === undefined) return openedFile(record, filePath, signal);
    try {
      const entry = await entryOf(pack.reader, filePath, signal);
      const placed = await this.#placedFile(record, entry, pack, signal);
      if (placed !== undefined) return placed;
      return {
        size: entry.size,
        mtimeMs: entry.mtime === 0 ? null : entry.mtime * 1000,
        read: (start, end) => this.#read(record, entry, { start, end, signal }),
      };
    } finally {
      await pack.release();
    }
  }

  /** A page of the index, which is waited for while it arrives. Raises as `open`. */
  async list({ id, after, limit }: Input<"files">, signal: AbortSignal): Promise<Answer<"files">> {
    const record = this.#transfers.record(id);
    const pack = await this.#openPack(record, signal, await this.#hasList(record));
    try {
      const skip = after === undefined ? 0 : parseCursor(after);
      const has = (span: PackSpan): boolean => hasSpan(pack.store, span);
      const isWhole = pack.store.complete;
      // The table of frames is at the end: without it nobody can say what can be read of a file.
      const hasTable = isWhole || pack.store.have(pack.store.info.pieceCount - 1);
      const { selection, opened } = chosenIn(this.#transfers.context.catalogue.selection(id));
      const files: Answer<"files">["files"] = [];
      let at = 0;
      for await (const entry of pack.reader.entries({ signal })) {
        if (entry.kind === "directory") continue;
        at++;
        if (at <= skip) continue;
        if (files.length === limit) break;
        const isThere = isWhole || wasOpened(entry.path, opened);
        const doneBytes = isThere
          ? entry.size
          : hasTable
            ? await pack.reader.readableBytes(entry, has, signal)
            : 0;
        const mtimeMs = entry.mtime === 0 ? null : entry.mtime * 1000;
        const priority = selection.priorityOf(entry.path);
        files.push({ path: entry.path, size: entry.size, mtimeMs, doneBytes, priority });
      }
      const isEnd = at <= skip + files.length;
      const total = record.fileCount ?? (isEnd ? at : at + 1);
      return { files, next: isEnd ? null : String(skip + files.length), total };
    } finally {
      await pack.release();
    }
  }

  /**
   * Runs `use` with what the share holds, where its index is here; undefined where it is not, which is not waited for. Raises what `use` raises, and
   * E_INTERRUPTED: a front of several pieces is waited for where it has begun to arrive.
   */
  async withIndex<T>(
    record: TransferRecord,
    use: (entries: AsyncIterable<PackEntry>) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const { root, packLength, link } = record;
    if (root === null || packLength === null || link === null) return undefined;
    if (isOpenedOnly(record) && !(await this.#hasList(record))) return undefined;
    const pack = await this.#transfers.packs.hold(root, packLength);
    try {
      // Its header and the proof of its length, without which nothing of it is read.
      const { store } = pack;
      if (!store.have(0) || !store.have(store.info.pieceCount - 1)) return undefined;
      const reader = await this.#reader(record, link, root, packLength).join(signal);
      return await use(reader.entries({ has: (span) => hasSpan(store, span), signal }));
    } catch (error) {
      if (!isBackroomError(error, "E_NOT_HELD")) throw error;
      return undefined;
    } finally {
      await pack.release();
    }
  }

  async *#read(
    record: TransferRecord,
    entry: PackEntry,
    range: { readonly start: number; readonly end: number; readonly signal: AbortSignal },
  ): AsyncGenerator<Uint8Array> {
    const pack = await this.#openPack(record, range.signal);
    try {
      yield* pack.reader.read(entry, range.start, range.end, range.signal);
    } finally {
      await pack.release();
    }
  }

  /** Of a file that an earlier opening put where it belongs, and of which the pack holds no longer all: that one, where it is there still. */
  async #placedFile(
    record: TransferRecord,
    entry: PackEntry,
    { reader, store }: { readonly reader: PackReader; readonly store: PieceStore },
    signal: AbortSignal,
  ): Promise<ContentFile | undefined> {
    const { opened } = chosenIn(this.#transfers.context.catalogue.selection(record.id));
    if (store.complete || !wasOpened(entry.path, opened)) return undefined;
    const readable = await reader.readableBytes(entry, (span) => hasSpan(store, span), signal);
    if (readable === entry.size) return undefined;
    return openedFile(record, entry.path, signal).catch((error: unknown) => {
      if (!isBackroomError(error, "E_NO_FILE")) throw error;
      return undefined;
    });
  }

  #reader(record: TransferRecord, link: string, root: string, length: number): SharedWork<PackReader> {
    const { id } = record;
    const known = this.#readers.get(id);
    if (known?.isCalledOff === false) return known;
    // Wherever its bytes are when they are read: a pack that arrives now may be whole by then.
    const source: PackSource = {
      length,
      read: async (offset, count, signal) => {
        const arriving = this.#transfers.arriving(id, length);
        if (arriving !== undefined) return arriving.read(offset, count, signal);
        const store = await this.#transfers.packs.current(root);
        if (store === undefined) throw notHeldHere();
        return storedSource(store).read(offset, count, signal);
      },
    };
    const keys = keysOf(parseLink(link), record.keys);
    const opening: SharedWork<PackReader> = new SharedWork((signal) =>
      PackReader.open(source, keys, signal).catch((error: unknown) => {
        if (this.#readers.get(id) === opening) this.#readers.delete(id);
        throw error;
      }),
    );
    this.#readers.set(id, opening);
    const oldest = this.#readers.keys().next();
    if (this.#readers.size > READERS && oldest.done === false) this.#readers.delete(oldest.value);
    return opening;
  }

  /** Whether of the pack of a download that is over the list of files was kept, since not all of them were chosen. */
  async #hasList({ root, packLength, skippedCount }: TransferRecord): Promise<boolean> {
    if (root === null || packLength === null || skippedCount === 0) return false;
    const info = infoOf(root, packLength);
    const state = await readState(info, packPaths(this.#transfers.context.folder.packs, info.root).state);
    return state !== undefined && state.have.count > 0;
  }

  /** Its store and a reader over it. What is still arriving is waited for, in the order in which it is read. */
  async #openPack(record: TransferRecord, signal: AbortSignal, hasList = false) {
    const { id, root, packLength, link: text } = record;
    if (root === null || packLength === null || text === null) {
      throw new BackroomError("E_NOT_HELD", "the share is not sealed yet", {
        why: "its files are not in a pack yet",
        fix: "wait until it is sealed",
      });
    }
    if (isOpenedOnly(record) && !hasList) throw notHeldHere();
    const pack = await this.#transfers.packs.hold(root, packLength);
    const arriving = this.#transfers.arriving(id, packLength);
    try {
      if (!pack.store.complete && arriving === undefined && pack.store.haveCount() === 0) throw notHeldHere();
      const reader = await this.#reader(record, text, root, packLength).join(signal);
      return { store: pack.store, reader, release: () => pack.release() };
    } catch (error) {
      await pack.release();
      throw error;
    }
  }
}

/** It was opened, and its pack is gone: what is left of it are files on the disk. */
function isOpenedOnly({ role, state, finishedMs }: TransferRecord): boolean {
  return role === "get" && state === "done" && finishedMs !== null;
}

async function entryOf(reader: PackReader, filePath: string, signal: AbortSignal): Promise<PackEntry> {
  for await (const entry of reader.entries({ signal })) {
    if (entry.path === filePath && entry.kind !== "directory") return entry;
  }
  throw noFile();
}

/** A file where the download put it. The path comes from outside: it is checked like one that is to be written. */
async function openedFile(
  record: TransferRecord,
  filePath: string,
  signal: AbortSignal,
): Promise<ContentFile> {
  const [top] = record.paths;
  if (top === undefined) throw notHeldHere();
  const parts = checked(filePath);
  // Under its only top-level name, or in a folder of the share's name.
  const places = [path.join(path.dirname(top), ...parts), path.join(top, ...parts)];
  for (const place of places) {
    if (place !== top && !place.startsWith(top + path.sep)) continue;
    const handle = await openPlain(place);
    if (handle === undefined) continue;
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) continue;
      const { size, mtimeMs } = stat;
      return {
        size,
        mtimeMs: Math.round(mtimeMs),
        read: (start, end) => readFileRange(place, { start, end: Math.min(end, size), signal }),
      };
    } finally {
      await handle.close();
    }
  }
  throw noFile();
}

function checked(filePath: string): string[] {
  try {
    return checkOutputPath(filePath);
  } catch (error) {
    if (!isBackroomError(error, "E_UNSAFE_PATH")) throw error;
    throw noFile();
  }
}

async function openPlain(place: string): Promise<FileHandle | undefined> {
  return open(place, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)).catch(
    () => undefined,
  );
}

async function* readFileRange(
  place: string,
  { start, end, signal }: { readonly start: number; readonly end: number; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const handle = await openPlain(place);
  if (handle === undefined) throw notHeldHere();
  try {
    for (let at = start; at < end;) {
      throwIfAborted(signal);
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new BackroomError("E_FILE", "a file became shorter while it was read");
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function parseCursor(after: string): number {
  if (!/^\d{1,9}$/.test(after)) throw new BackroomError("E_CURSOR", "the list cannot go on there");
  return Number(after);
}

function noFile(): BackroomError {
  return new BackroomError("E_NO_FILE", "there is no such file in the share");
}
