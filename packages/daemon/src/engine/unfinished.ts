import { lstat, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { clearReserved } from "@backroom/core/pack/move-new.ts";
import type { Catalogue, TransferRecord } from "../catalogue/catalogue.ts";

/** Under which the catalogue keeps what is noted here. */
const MOVES = "engine.moves";
const LEAVING = "engine.leaving";
const SHRINKING = "engine.shrinking";
/** What a copy under way to another file system is called. */
export const ASIDE = ".backroom-move-";

/** A file or folder of a transfer on its way from one place to another. */
export interface Move {
  readonly from: string;
  readonly to: string;
  /** By which its file system will know what appears at `to`; empty where that is not made yet. */
  readonly fileId: string;
  /** Where it is copied into first; undefined for a rename. */
  readonly aside?: string | undefined;
}

interface TransferMove extends Move {
  readonly transfer: string;
}

interface LeavingPack {
  readonly root: string;
  readonly packLength: number;
}

interface ShrinkingPack extends LeavingPack {
  /** Those that stay. */
  readonly pieces: readonly number[];
}

/** What is done to packs, whoever holds them. Raise E_STORE, E_DISK_FULL. */
interface PackWork {
  remove(pack: LeavingPack): Promise<void>;
  keepOnly(pack: ShrinkingPack): Promise<void>;
}

/**
 * What is changed on disk and in the catalogue, one after the other, with room for a kill between: noted before the disk changes, and finished by the
 * next start. A move counts as done where what lies at its end is what was to come there, and not by its name alone.
 */
export class Unfinished {
  readonly #catalogue: Catalogue;
  readonly #moves: Map<string, TransferMove>;
  readonly #leaving: Map<string, LeavingPack>;
  readonly #shrinking: Map<string, ShrinkingPack>;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
    this.#moves = new Map(listOf(catalogue.value(MOVES), isMove).map((move) => [move.from, move]));
    this.#leaving = new Map(listOf(catalogue.value(LEAVING), isLeaving).map((pack) => [pack.root, pack]));
    this.#shrinking = new Map(
      listOf(catalogue.value(SHRINKING), isShrinking).map((pack) => [pack.root, pack]),
    );
  }

  /** Noted before it begins, and again when more is known of it. Raises E_STORE, E_DISK_FULL. */
  moving(transfer: string, move: Move): void {
    this.#moves.set(move.from, { transfer, ...move });
    this.#keepMoves();
  }

  /** It is over, or did not happen, and the catalogue knows. */
  moved(from: string): void {
    if (this.#moves.delete(from)) quietly(() => this.#keepMoves());
  }

  /** The transfer of that pack is about to be forgotten, and the pack goes after it. */
  packLeaves(pack: LeavingPack): void {
    this.#leaving.set(pack.root, pack);
    // On a full disk, too, a transfer can be removed.
    quietly(() => this.#keepLeaving());
  }

  /** It is gone, or is to stay. */
  packLeft(root: string): void {
    if (this.#leaving.delete(root)) quietly(() => this.#keepLeaving());
  }

  /** The download of that pack is about to be over, and little of the pack stays then. */
  packShrinks(pack: ShrinkingPack): void {
    this.#shrinking.set(pack.root, pack);
    quietly(() => this.#keepShrinking());
  }

  packShrunk(root: string): void {
    if (this.#shrinking.delete(root)) quietly(() => this.#keepShrinking());
  }

  /**
   * Finishes what the process before this one could not; what cannot be finished now, as where a disk is not there, is left to the next start. Raises E_STORE,
   * E_DISK_FULL where the catalogue does.
   */
  async finish(packs: PackWork): Promise<void> {
    for (const move of this.#moves.values()) await this.#finishMove(move);
    for (const pack of this.#leaving.values()) {
      await attempted(async () => {
        // Known: the transfer was not forgotten after all, or the pack has been asked for once more.
        if (!this.#catalogue.knowsRoot(pack.root)) await packs.remove(pack);
        this.packLeft(pack.root);
      });
    }
    for (const pack of this.#shrinking.values()) {
      await attempted(async () => {
        const record = this.#catalogue.byRoot(pack.root);
        // Anything else needs more of it: it was not over after all, or has been asked for once more.
        if (record?.role === "get" && record.state === "done") await packs.keepOnly(pack);
        this.packShrunk(pack.root);
      });
    }
  }

  async #finishMove(move: TransferMove): Promise<void> {
    const { transfer, from, to, fileId, aside } = move;
    if (aside !== undefined && path.basename(aside).startsWith(ASIDE)) {
      await rm(aside, { recursive: true, force: true }).catch(() => {});
    }
    const record = this.#catalogue.get(transfer);
    if (record?.paths.includes(from) === true) {
      const found = await fileIdAt(to);
      if (found !== undefined && found === fileId) {
        this.#catalogue.put(afterMove(record, move));
        // It is at both places where the kill came before the end of the old one: under two names, or as a copy.
        const isLeft = aside === undefined ? (await fileIdAt(from)) === fileId : await areAlike(from, to);
        if (isLeft && !(await areOnePlace(from, to)))
          await rm(from, { recursive: true, force: true }).catch(() => {});
      } else if ((await fileIdAt(from)) === undefined) return;
      else await clearReserved(to);
    }
    this.moved(from);
  }

  #keepMoves(): void {
    this.#keep(MOVES, [...this.#moves.values()]);
  }

  #keepLeaving(): void {
    this.#keep(LEAVING, [...this.#leaving.values()]);
  }

  #keepShrinking(): void {
    this.#keep(SHRINKING, [...this.#shrinking.values()]);
  }

  #keep(name: string, list: readonly unknown[]): void {
    this.#catalogue.putValue(name, list.length === 0 ? undefined : list);
  }
}

/** Its files lie at `to` now. Where all of them lie in one folder, that is where they belong. */
export function afterMove(record: TransferRecord, { from, to }: Pick<Move, "from" | "to">): TransferRecord {
  const paths = record.paths.map((one) => (one === from ? to : one));
  const folder = path.dirname(to);
  const isWhole = paths.every((one) => path.dirname(one) === folder);
  return { ...record, paths, output: isWhole ? folder : record.output };
}

/** The number by which its file system knows a file or folder; undefined where nothing is there. */
async function fileIdAt(place: string): Promise<string | undefined> {
  const stat = await lstat(place, { bigint: true }).catch(() => undefined);
  return stat === undefined ? undefined : String(stat.ino);
}

/** Whether two paths of one name lead to the same entry, by way of a link, a mount, or a file system that takes two names for one; also where that cannot be told. */
async function areOnePlace(a: string, b: string): Promise<boolean> {
  try {
    const one = await stat(path.dirname(a), { bigint: true });
    const other = await stat(path.dirname(b), { bigint: true });
    return one.ino === other.ino && one.dev === other.dev;
  } catch {
    return true;
  }
}

/** Whether nothing in a file or folder was touched since `copy` was made of it, with sizes and times. False where it is not there. */
async function areAlike(original: string, copy: string): Promise<boolean> {
  try {
    const [was, is] = [await lstat(original), await lstat(copy)];
    if (!was.isDirectory() || !is.isDirectory()) {
      const isSameTime = Math.trunc(was.mtimeMs) === Math.trunc(is.mtimeMs);
      return was.isFile() && is.isFile() && was.size === is.size && isSameTime;
    }
    const [names, copied] = [await readdir(original), new Set(await readdir(copy))];
    if (names.length !== copied.size) return false;
    for (const name of names) {
      if (!copied.has(name)) return false;
      if (!(await areAlike(path.join(original, name), path.join(copy, name)))) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** What fails stays noted. */
async function attempted(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isBackroomError(error)) throw error;
  }
}

/** What stays noted is looked at by the next start, and comes to nothing there. */
function quietly(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!isBackroomError(error)) throw error;
  }
}

function listOf<T>(kept: unknown, is: (one: unknown) => one is T): T[] {
  return Array.isArray(kept) ? kept.filter(is) : [];
}

function isMove(one: unknown): one is TransferMove {
  const { transfer, from, to, fileId, aside } = (one ?? {}) as Record<string, unknown>;
  const areTexts = [transfer, from, to, fileId].every((text) => typeof text === "string");
  return areTexts && (aside === undefined || typeof aside === "string");
}

function isLeaving(one: unknown): one is LeavingPack {
  const { root, packLength } = (one ?? {}) as Record<string, unknown>;
  return typeof root === "string" && /^[0-9a-f]{64}$/.test(root) && Number.isSafeInteger(packLength);
}

function isShrinking(one: unknown): one is ShrinkingPack {
  if (!isLeaving(one)) return false;
  const { pieces } = one as { readonly pieces?: unknown };
  return Array.isArray(pieces) && pieces.every((piece) => Number.isSafeInteger(piece));
}
