import type { PackReader, PackSpan } from "../pack/pack-reader.ts";
import type { Selection } from "../pack/selection.ts";
import { leavesOf, wasOpened } from "../pack/wanted-files.ts";
import { LEVELS } from "../swarm/pick-order.ts";
import type { TorrentInfo } from "../torrent/info.ts";

export type Pieces = Pick<TorrentInfo, "pieceLength" | "pieceCount">;

/** What a selection comes to in a share whose index is there. */
export interface Plan {
  /** How soon each piece is wanted: LEVELS. */
  readonly levels: Uint8Array;
  /** Without which the files of the share are not known. */
  readonly frame: readonly number[];
  /** Neither a file is wanted nor a folder with nothing in it. */
  readonly isNothing: boolean;
  /** Files that are wanted, whether or not they were opened before; and all others. */
  readonly wantedCount: number;
  readonly skippedCount: number;
  /** Of the files that are wanted, bytes. */
  readonly wantedSize: number;
}

/** Before it is known where which file lies: the first and the last piece, out of which all else is found. */
export function levelsBefore({ pieceCount }: Pieces): Uint8Array {
  const levels = new Uint8Array(pieceCount);
  levels[0] = levels[pieceCount - 1] = LEVELS.high;
  return levels;
}

/** What a plan is made for. */
export interface Wish {
  readonly selection: Selection;
  readonly opened: Selection | undefined;
  readonly isKept: boolean;
}

/**
 * A piece is wanted as soon as the soonest of the files that lie in it; what was opened before is wanted last, and only where the pack is kept. Those with
 * the index and the table of frames always are; what is no file's, which is padding, is wanted only where nothing is skipped and the pack is to become
 * whole. Raises what reading raises.
 */
export async function planOf(
  reader: PackReader,
  pieces: Pieces,
  { selection, opened, isKept }: Wish,
): Promise<Plan> {
  const levels = new Uint8Array(pieces.pieceCount);
  let wantedCount = 0;
  let skippedCount = 0;
  let wantedSize = 0;
  let isNothing = true;
  for await (const { entry } of leavesOf(reader.entries())) {
    const priority = selection.priorityOf(entry.path);
    if (priority !== "skip") isNothing = false;
    if (entry.kind === "directory") continue;
    if (priority === "skip") {
      skippedCount++;
      continue;
    }
    wantedCount++;
    wantedSize += entry.size;
    const isThere = wasOpened(entry.path, opened);
    if (isThere && !isKept) continue;
    raise(levels, pieces, await reader.spanOf(entry), isThere ? LEVELS.low : LEVELS[priority]);
  }
  const ends = new Uint8Array(pieces.pieceCount);
  for (const span of await reader.frame()) raise(ends, pieces, span, LEVELS.high);
  const frame = [...ends.keys()].filter((piece) => ends[piece] !== LEVELS.skip);
  for (const piece of frame) levels[piece] = LEVELS.high;
  if (skippedCount === 0 && (isKept || opened === undefined)) {
    for (const [piece, level] of levels.entries()) levels[piece] = Math.max(level, LEVELS.low);
  }
  return { levels, frame, isNothing, wantedCount, skippedCount, wantedSize };
}

function raise(
  levels: Uint8Array,
  { pieceLength }: Pieces,
  { offset, length }: PackSpan,
  level: number,
): void {
  if (length === 0) return;
  const last = Math.floor((offset + length - 1) / pieceLength);
  for (let piece = Math.floor(offset / pieceLength); piece <= last; piece++) {
    levels[piece] = Math.max(levels[piece] ?? 0, level);
  }
}
